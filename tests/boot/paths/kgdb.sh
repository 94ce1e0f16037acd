#!/bin/sh
# Guest side: the kernel debugger is entered while tasks run out-of-band; kgdb.gdb on the host, at the other end of the third
# serial port, does the rest. The tasks must come to their good end afterwards. Needs /root/debuggee.
failed=0
counts() { awk -v what="$1" 'index($0, what) { print $2, $3 }' /proc/interrupts; }
say() { echo "kgdb: $*"; }
bad() { say "FAILED $*"; failed=1; }
echo ttyS2 > /sys/module/kgdboc/parameters/kgdboc || bad "kgdboc: $?"
( while [ ! -e /tmp/stop ]; do /root/debuggee || echo "FAILED the program: $?"; done ) &
tasks=$!
sleep 1
for n in 1 2; do
	say "into the debugger, $n"
	echo g > /proc/sysrq-trigger
	say "out of it, $n"
	sleep 1
done
# The core owns the timers of both CPUs, and Linux has its ticks from a proxy: columns of two CPUs.
for line in "lapic timer" "proxy tick"; do
	before=$(counts "$line")
	sleep 2
	after=$(counts "$line")
	[ "${after% *}" -gt "${before% *}" ] && [ "${after#* }" -gt "${before#* }" ] || bad "$line: $before before, $after afterwards"
done
touch /tmp/stop
wait $tasks
/root/debuggee || bad "the program afterwards: $?"
[ $failed -eq 0 ] && say ok
exit $failed
