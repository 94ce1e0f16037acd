# SPDX-License-Identifier: MIT
# What the suites gdb and gdb-toy do to debuggee. Each step prints a line that begins with "step"; the suite wants all of them.
set pagination off
set confirm off
set breakpoint pending off
set tcp connect-timeout 100
set remotetimeout 60
python
import time

def connect(port):
    """The guest is still booting, or its server is not up yet: QEMU accepts the connection and drops it."""
    for attempt in range(120):
        try:
            gdb.execute(f"target remote 127.0.0.1:{port}")
            return
        except gdb.error:
            time.sleep(1)
    raise gdb.error("no gdbserver")

def number(expression):
    return int(gdb.parse_and_eval(expression))

def frame_names():
    names, frame = [], gdb.newest_frame()
    while frame:
        names.append(frame.name())
        frame = frame.older()
    return names

def want(true, text):
    if not true:
        raise gdb.error(f"FAILED {text}")
    gdb.write(f"step {text}\n")

def program_counter():
    return int(gdb.selected_frame().pc())

try:
    import os
    connect(os.environ["DEBUGGEE_PORT"])
    gdb.execute("break tick")
    for n in range(10):
        gdb.execute("continue")
        want(gdb.newest_frame().name() == "tick", f"breakpoint {n + 1}: in tick()")
    names = frame_names()
    want(names[1] == "count", "backtrace: tick() was called by count()")
    want(len(gdb.selected_inferior().threads()) == 2, "two threads")
    gdb.execute("delete")
    before = number("ticks[who]")
    gdb.execute("next")
    gdb.execute("next")
    want(number("ticks[who]") == before + 1, "two lines further: the thread has counted")
    for n in range(40):
        last = program_counter()
        gdb.execute("stepi")
        if program_counter() == last:
            raise gdb.error("FAILED a single step that does not move")
    want(True, "40 single steps")
    gdb.execute("break tick if who == 0")
    gdb.execute("continue")
    gdb.execute("delete")
    # By single steps.
    gdb.execute("set can-use-hw-watchpoints 0")
    gdb.execute("watch watched")
    old = number("watched")
    gdb.execute("continue")
    want(number("watched") != old, "watchpoint: watched has changed")
    want("tick" in frame_names(), "watchpoint: in tick()")
    gdb.execute("delete")
    # By the CPU: the thread runs freely between them, and each one hits it out-of-band. None may be passed by.
    gdb.execute("set can-use-hw-watchpoints 1")
    want("Hardware watchpoint" in gdb.execute("watch watched", to_string=True), "a hardware watchpoint")
    for n in range(5):
        old = number("watched")
        gdb.execute("continue")
        want(number("watched") == old + 1, f"hardware watchpoint {n + 1}: the next change of watched")
    gdb.execute("delete")
    gdb.execute("hbreak tick")
    for n in range(5):
        gdb.execute("continue")
        want(gdb.newest_frame().name() == "tick", f"hardware breakpoint {n + 1}: in tick()")
    gdb.execute("delete")
    gdb.execute("continue")
    want(number("$_exitcode") == 0, "continued to a good end")
    gdb.write("gdb: ok\n")
except Exception as error:
    gdb.write(f"{error}\n")
    gdb.execute("quit 1")
end
quit 0
