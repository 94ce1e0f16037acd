# SPDX-License-Identifier: MIT
# What the suite paths does to a kernel with oob tasks through KGDB: breakpoints that are hit on the oob stage, single steps there.
# Each step prints a line that begins with "step"; the suite wants all of them.
set pagination off
set confirm off
set breakpoint pending off
set architecture i386:x86-64
# Whoever listens at the port answers at once, but until the guest is in its debugger he says nothing.
set tcp connect-timeout 2
set remotetimeout 120
python
import os
import time

def connect(port):
    """QEMU may not have opened the port yet: a minute at most. Then the guest boots, which the first answer waits for."""
    for attempt in range(20):
        try:
            gdb.execute(f"target remote 127.0.0.1:{port}")
            return
        except gdb.error:
            time.sleep(1)
    raise gdb.error("FAILED no answer from the guest")

def frame_names():
    names, frame = [], gdb.newest_frame()
    while frame and len(names) < 30:
        names.append(frame.name())
        frame = frame.older()
    return names

def want(true, text):
    if not true:
        raise gdb.error(f"FAILED {text}")
    gdb.write(f"step {text}\n")

try:
    connect(os.environ["KGDB_PORT"])
    # Its handler calls the debugger last, by a jump: it has no frame.
    want("__handle_sysrq" in frame_names(), f"entered by the system request {frame_names()}")
    gdb.execute("break handle_oob_syscall")
    for n in range(5):
        gdb.execute("continue")
        want(gdb.newest_frame().name() == "handle_oob_syscall", f"breakpoint {n + 1}: a task called the core out-of-band")
    names = frame_names()
    want("do_syscall_64" in names, "backtrace: by a system call")
    gdb.execute("delete")
    for n in range(10):
        last = int(gdb.selected_frame().pc())
        gdb.execute("stepi")
        if int(gdb.selected_frame().pc()) == last:
            raise gdb.error("FAILED a single step that does not move")
    want(True, "10 single steps")
    gdb.execute("break handle_oob_irq")
    for n in range(3):
        gdb.execute("continue")
        want(gdb.newest_frame().name() == "handle_oob_irq", f"breakpoint {n + 6}: on the way to an oob handler")
    gdb.execute("delete")
    # A CPU may have hit a breakpoint while another one was in the debugger, which passes over what was removed, until it is detached:
    # not before each of them was seen elsewhere.
    gdb.execute("continue")
    want("__handle_sysrq" in frame_names(), "entered by the second system request")
    gdb.execute("detach")
    gdb.write("gdb: ok\n")
except Exception as error:
    gdb.write(f"{error}\n")
    gdb.execute("quit 1")
end
quit 0
