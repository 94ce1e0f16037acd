#!/bin/sh
# Guest side: each way to put the system to sleep is refused by the interrupt pipeline, with a message that says so, before
# anything is stopped: the torture test, whose oob timer runs meanwhile, finds nothing missing.
failed=0
say() { echo "suspend: $*"; }
bad() { say "FAILED $*"; failed=1; }
states=$(cat /sys/power/state)
[ -n "$states" ] || bad "this kernel knows no way to sleep"

insmod /irqptorture.ko seconds=10 hotplug=0 only=timer,stalls,sirq,ipi &
torture=$!
tries=0
while ! grep -q '\[oob\]' /proc/interrupts && [ $tries -lt 100 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
for state in $states; do
	dmesg -c >/dev/null
	before=$(cut -d. -f1 /proc/uptime)
	error=$( { echo "$state" > /sys/power/state; } 2>&1) && bad "$state: the system slept"
	say "$state: $error"
	case $error in *"not supported"*) ;; *) bad "$state: another error: $error" ;; esac
	[ "$(dmesg | grep -c 'irq_pipeline: suspend is refused')" = 1 ] || bad "$state: no message, or several"
	dmesg | grep -q 'Freezing user space' && bad "$state: refused too late"
	[ $(($(cut -d. -f1 /proc/uptime) - before)) -lt 5 ] || bad "$state: it took its time"
done
grep -q '\[oob\]' /proc/interrupts || bad "the torture test has not seen any of this"
wait $torture || bad "irqptorture: $?"
[ $failed -eq 0 ] && say ok
exit $failed
