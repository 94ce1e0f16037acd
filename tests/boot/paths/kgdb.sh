#!/bin/sh
# Guest side: the kernel debugger is entered while tasks run out-of-band; kgdb.gdb on the host, at the other end of the third
# serial port, does the rest. The tasks must come to their good end afterwards. Needs /root/debuggee.
failed=0
say() { echo "kgdb: $*"; }
bad() { say "FAILED $*"; failed=1; }
echo ttyS2 > /sys/module/kgdboc/parameters/kgdboc || bad "kgdboc: $?"
( while [ ! -e /tmp/stop ]; do /root/debuggee || echo "FAILED the program: $?"; done ) &
tasks=$!
sleep 1
say "into the debugger"
echo g > /proc/sysrq-trigger
say "out of it"
before=$(awk '/^TOB|^LOC/ { sum += $2 } END { print sum }' /proc/interrupts)
sleep 2
[ "$(awk '/^TOB|^LOC/ { sum += $2 } END { print sum }' /proc/interrupts)" -gt "$before" ] || bad "no timer interrupts any more"
touch /tmp/stop
wait $tasks
/root/debuggee || bad "the program afterwards: $?"
[ $failed -eq 0 ] && say ok
exit $failed
