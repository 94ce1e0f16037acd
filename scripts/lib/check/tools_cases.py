"""The cases of the suite `tools`: commands for the guest, and what is wanted of them. See suite_tools.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    command: str  # For a shell; one line.
    status: int = 0
    out: tuple[str, ...] = ()  # Regular expressions, each of which has to be found.
    err: tuple[str, ...] = ()


_ROW = r"\|\s+\d+\.\d{3}\|\s+\d+\.\d{3}\|\s+\d+\.\d{3}\|\s+0\|\s+0\|"
_LONG = (r"^CPU   PID   SCHED   PRIO  ISW     CTXSW     SYS       RWA        STAT    TIMEOUT       %CPU        CPUTIME  "
         r"WCHAN                 NAME$")
# A run in the background to look at: a user thread, and the thread that waits for its end.
_BACKGROUND = "latmus -u -T 1d -q >/dev/null 2>&1 & sleep 2; "
_END = "; kill $!; wait $!"

EVL = (
    Case("version-option", "evl --version", out=(r"^evl\.\S+ .*\[requires ABI \d+\]$",)),
    Case("version", "evl version", out=(r"\[requires ABI \d+\]", r"ABI")),
    Case("kernel-abi", "cat /sys/devices/virtual/evl/control/abi"),
    Case("help", "evl help", out=(r"^check {8}\S", r"^ps {11}\S", r"^version {6}\S")),
    Case("evl-alone", "evl", out=(r"^ps ",), err=(r"^usage: evl",)),
    Case("evl-option", "evl -Z", 2, err=(r"^usage: evl",)),
    Case("evl-unknown", "evl nothing", 1, err=(r"no command 'nothing'",)),
    Case("evl-prefix", "evl -P /nowhere version", 1, err=(r"no command",)),
    Case("help-alone", "/usr/libexec/evl/evl-help", 2, err=(r"evl help",)),
    Case("override", r"mkdir -p /tmp/own; printf '#!/bin/sh\necho mine\n' > /tmp/own/evl-ps; chmod +x /tmp/own/evl-ps; PATH=/tmp/own:$PATH evl ps",
         out=(r"^mine$",)),
)
CHECK = (
    Case("check-running", "evl check -r", out=(r"\A(?!.*(core|access|state|abi)=)",), err=(r"\d+ checks, 0 failed",)),
    Case("check-kconfig", "evl check -k --json; true", out=(r'^\{"checked":[1-9]',)),
    Case("check-stopped", "echo stop > /sys/devices/virtual/evl/control/state; evl check -r; s=$?; "
                          "echo start > /sys/devices/virtual/evl/control/state; exit $s", 1, out=(r"^state=stopped",)),
    Case("check-list", r"echo CONFIG_B > /tmp/list; printf '# Linux/x86 6.12\nCONFIG_A=y\n' | evl check -f - -L /tmp/list", 1, out=(r"^CONFIG_B=n$",)),
    Case("check-holds", r"echo CONFIG_A > /tmp/list; printf '# Linux/x86 6.12\nCONFIG_A=y\n' | evl check -f - -L /tmp/list"),
    Case("check-quiet", "echo CONFIG_NOPE > /tmp/list; evl check -k -q -L /tmp/list", 1, out=(r"\A\Z",)),
    Case("check-bad-list", "echo 'what is this' > /tmp/list; evl check -k -L /tmp/list", 2, err=(r"is no assertion",)),
    Case("check-no-file", "evl check -f /nonexistent", 1, err=(r"cannot read /nonexistent",)),
    Case("check-no-list", "evl check -k -L /nonexistent", 1, err=(r"cannot read the list",)),
    Case("check-option", "evl check -x", 2, err=(r"^usage",)),
    Case("check-word", "evl check more", 2, err=(r"^usage",)),
)
PS = (
    Case("ps-empty", "evl ps", out=(r"\ACPU   PID   SCHED   PRIO  NAME\n\Z",)),
    Case("ps-policy", _BACKGROUND + "evl ps" + _END, out=(r"^  0   \d+ +fifo    98   timer-responder:\d+$",)),
    Case("ps-state", _BACKGROUND + "evl ps -s" + _END, out=(r"^CPU   PID   ISW     CTXSW     SYS       RWA        STAT    NAME$",
                                                            r"^  0   \d+ +0 +[1-9]\d* +[1-9]\d* +0 +W\w* +timer-responder")),
    Case("ps-times", _BACKGROUND + "evl ps -t" + _END, out=(r"^CPU   PID   TIMEOUT       %CPU        CPUTIME  NAME$", r"timer-responder")),
    Case("ps-wait", _BACKGROUND + "evl ps -w" + _END, out=(r"^CPU   PID   TIMEOUT      RWA        STAT    WCHAN                 NAME$",
                                                           r" W\w* +latmus-shot +timer-responder")),
    Case("ps-long", _BACKGROUND + "evl ps -l" + _END, out=(_LONG,)),
    Case("ps-numeric", _BACKGROUND + "evl ps -s -n" + _END, out=(r" [0-9a-f]{2,8} +timer-responder",)),
    Case("ps-kernel", "latmus -k -T 1d -q >/dev/null 2>&1 & sleep 2; evl ps" + _END, out=(r"98   \[latmus-klat:\d+\]$",)),
    Case("ps-cpu", _BACKGROUND + "evl ps -c 0" + _END, out=(r"timer-responder",)),
    *(Case(f"ps-sort-{key}", _BACKGROUND + f"evl ps -l --json -S {key}" + _END) for key in ("i", "x", "w", "c", "t", "r")),
    Case("ps-bad-sort", "evl ps -S q", 2, err=(r"unknown sort key: 'q'", r"^usage")),
    Case("ps-bad-cpu", "evl ps -c x", 2, err=(r"not a list of CPUs: 'x'",)),
    Case("ps-option", "evl ps -x", 2, err=(r"^usage",)),
    Case("ps-word", "evl ps more", 2, err=(r"not an option: 'more'",)),
    Case("ps-gone", "sleep 1; evl ps", out=(r"\ACPU .*\n\Z",)),
)
LATMUS = (
    # The default: fired early by as much as an answer is assumed to take, so that some figures are negative.
    Case("latmus-gravity", "cat /sys/devices/virtual/clock/monotonic/gravity; latmus -u -T 1", out=(r"^0i 3000k 3000u$", r"^RTS\| +-")),
    Case("latmus-raw", "echo 0i,0k,0u > /sys/devices/virtual/clock/monotonic/gravity"),
    *(Case(f"latmus-{word}", f"latmus -{letter} -T 2", out=(rf"^RTT\|  00:00:01  \({word}, 1000 us period", r"^RTH\|", rf"^RTD{_ROW}",
                                                            rf"^RTS{_ROW} +00:00:02/00:00:02$"), err=(r"^warming up on CPU0 \(not isolated\)",))
      for word, letter in (("irq", "i"), ("kernel", "k"), ("user", "u"), ("sirq", "s"), ("fifo", "f"))),
    Case("latmus-several", "latmus -u -f -i -T 1 -q", out=(r"^context .*\nuser .*\nfifo .*\nirq ",), err=(r"running quietly for 1 second",)),
    Case("latmus-json", "latmus -i -k -u -s -T 1 --json"),
    Case("latmus-plot", "latmus -u -T 1 -q -w 50 -H 20 -g", out=(r"^# context: user$", r"^# thread priority: 98$", r"^# cell width: 50 ns$",
                                                                 r"^# sample count: 1\d{3}$", r"^19\+ \d+$")),
    Case("latmus-plot-file", "latmus -u -T 1 -q -g/tmp/plot; latmus -u -T 1 -q -g/tmp/plot", 1, err=(r"/tmp/plot is there already",)),
    Case("latmus-chart", "latmus -u -T 1 -q -w 50 -H 1000 --chart", out=(r"^ +\d\.\d{3} us +\|#+ \d+$",)),
    Case("latmus-svg", "latmus -u -T 1 -q --svg=/tmp/p.svg && cat /tmp/p.svg", out=(r"<svg",)),
    Case("latmus-html", "latmus -k -T 1 -q --load=nothing --html=/tmp/p.html && cat /tmp/p.html", out=(r"<html", r"nothing", r"<svg")),
    Case("latmus-limit", "cd /sys/kernel/tracing; echo 1 > events/evl/enable; echo 1 > tracing_on; latmus -u -A 1; s=$?; cat tracing_on; "
                         "grep -c evl_ snapshot; echo 0 > events/evl/enable; exit $s", 102,
         out=(r"^0\n[1-9]\d*$",), err=(r"above the limit of 1\.000 us; trace frozen",)),
    Case("latmus-interrupted", "timeout -s INT 4 latmus -u", out=(rf"^RTS{_ROW} +00:00:0[23]/00:00:00$",)),
    Case("latmus-terminated", "timeout 4 latmus -k -i -T 1h", out=(r"^RTS",)),
    Case("latmus-tune", "cd /sys/devices/virtual/clock/monotonic; echo 0i,0k,0u > gravity; latmus -t -k; cat gravity",
         out=(r"^kernel gravity\.\.\.(\d+) ns$", r"^== tuning completed after \d+ s$", r"^0i \d+k 0u$")),
    Case("latmus-reset", "cd /sys/devices/virtual/clock/monotonic; cat gravity > /tmp/was; echo 1i,2k,3u > gravity; latmus -r -i -T 1 -q >/dev/null; "
                         "! grep '1i 2k 3u' gravity"),
    *(Case(f"latmus-bad-{number}", f"latmus {words}", 2, err=(message,)) for number, (words, message) in enumerate((
        ("-p 0", "the period in us has to be 1 to 1000000, not '0'"), ("-P 100", "the priority has to be 1 to 99"), ("-H 0", "number of cells"),
        ("-w 0", "the width of a cell"), ("-q", "-T"), ("-i -k", "-T"), ("-T x", "'x'"), ("-t -s", "^usage"), ("-C 99 -T 1", "CPU99 is not online"),
        ("-Y", "^usage"), ("--json -g -T 1", "both want stdout"), ("more", "^usage")))),
    Case("latmus-bad-file", "latmus -u -T 1 --svg=/nonexistent/p.svg", 1, err=(r"cannot write /nonexistent/p.svg",)),
    Case("latmus-nobody", "su -s /bin/sh nobody -c '/usr/bin/latmus -u -T 1'", 1, err=(r"/dev/latmus: Permission denied",)),
)
HECTIC = (
    Case("hectic", "hectic -T 2", out=(r"FPU check routines: OK", r"^== Threads: rtk0@0 ", r"^RTD\|\s+0\|\s+[1-9]\d*\|\s+[1-9]\d*$")),
    Case("hectic-stress", "hectic -T 2 -s 500 -c 0", out=(r"switcher", r"^RTD")),
    Case("hectic-no-fpu", "hectic -T 1 -n -q", out=(r"\A== Threads: ", r"^RTD\|\s+0\|")),
    Case("hectic-silent", "hectic -T 1 -Q rtup rtuo_ufpp_ufps rtk", out=(r"\A\Z",)),
    Case("hectic-interrupted", "timeout -s INT 3 hectic", out=(r"^RTD",)),
    Case("hectic-bad-flag", "hectic -T 1 rtk_ufpp", 2, err=(r"rtk",)),
    Case("hectic-bad-kind", "hectic -T 1 rtx", 2, err=(r"rtx",)),
    Case("hectic-bad-cpus", "hectic -T 1 -c x", 2, err=(r"x",)),
    Case("hectic-option", "hectic -Y", 2, err=(r"^usage",)),
)
LEFT = (
    # What is left of the elements of all of these: nothing.
    Case("left", "for kind in thread monitor xbuf proxy; do ls /dev/evl/$kind; done", out=(r"\A(clone\n)*\Z",)),
    Case("devices", "for uevent in /sys/devices/virtual/*/*/uevent; do d=${uevent%/uevent}; grep -q DEVNAME $uevent && "
                    "echo $d $(basename $(readlink -f $d/subsystem)); done; true"),
)
RUNNING = (*EVL, *CHECK, *PS, *LATMUS, *HECTIC, *LEFT)

DISABLED = (
    Case("disabled-ps", "evl ps", 77, err=(r"no kernel support",)),
    Case("disabled-latmus", "latmus -u -T 1", 77, err=(r"no kernel support",)),
    Case("disabled-fifo", "latmus -f -T 1", out=(rf"^RTS{_ROW}",)),
    Case("disabled-hectic", "hectic -T 1", 77, err=(r"no kernel support",)),
    Case("disabled-check", "evl check -r", 1, out=(r"^core=none",)),
    Case("disabled-version", "evl version", out=(r"none",)),
)
