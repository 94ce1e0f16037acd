#!/bin/sh
# Guest side: the function tracer in both stages. It is turned on and off while the pipeline is tortured, so that code which
# runs out-of-band is patched, and its breakpoints are hit there. ftrace.sh [SECONDS]
seconds=${1:-10}
tracing=/sys/kernel/tracing
failed=0
say() { echo "ftrace: $*"; }
bad() { say "FAILED $*"; failed=1; }

[ -e $tracing/current_tracer ] || bad "no function tracer in this kernel"
echo 0 > $tracing/tracing_on
echo 512 > $tracing/buffer_size_kb
# Every function is slow under emulation: the timer's rate has to leave time for Linux.
insmod /irqptorture.ko oob_hz=500 hotplug=0 seconds="$seconds" only=timer,stalls,sirq,work,irq_work,ipi,smp_call,escalation &
torture=$!

# Until the torture test has its oob handlers in place, there is nothing to patch under.
tries=0
while [ "$(grep -c '\[oob\]' /proc/interrupts)" = 0 ] && [ $tries -lt 100 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
grep -q '\[oob\]' /proc/interrupts || bad "the torture test has no out-of-band interrupt"

# As often as there is time for, and at least twice while the torture test runs.
turns=0
while grep -q '\[oob\]' /proc/interrupts; do
	echo function > $tracing/current_tracer || bad "function: $?"
	if [ $turns -eq 0 ]; then
		echo 1 > $tracing/tracing_on
		sleep 0.2
		echo 0 > $tracing/tracing_on
		cp $tracing/trace /tmp/trace
	fi
	echo nop > $tracing/current_tracer || bad "nop: $?"
	turns=$((turns + 1))
done
[ $turns -ge 2 ] || bad "turned on and off $turns times only: give it more than $seconds s"
wait $torture || bad "irqptorture: $?"
say "turned on and off $turns times, $(wc -l </tmp/trace) lines"

# Pipeline entry and the oob handlers; then what the in-band log calls, and plain in-band code.
for name in handle_oob_irq handle_timer inband_work_interrupt schedule; do
	count=$(grep -c " $name" /tmp/trace)
	say "$name $count"
	[ "$count" -gt 0 ] || bad "$name was not traced"
done
[ $failed -eq 0 ] && say ok
exit $failed
