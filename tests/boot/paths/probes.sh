#!/bin/sh
# Guest side: probes on what tasks do out-of-band, in the kernel (by a call of the tracer, by a breakpoint, by a jump, at the
# return) and in their program. Each hit is counted, and the tasks go on as if nothing had been there.
# probes.sh OFFSET: of tick() in the file /root/debuggee, which calls it 800 times out-of-band.
tracing=/sys/kernel/tracing
calls=800
failed=0
say() { echo "probes: $*"; }
bad() { say "FAILED $*"; failed=1; }

# hits EVENT, lost EVENT: nothing if there is no such event.
hits() { cat $tracing/kprobe_profile $tracing/uprobe_profile | awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) print $(i + 1) }'; }
lost() { cat $tracing/kprobe_profile $tracing/uprobe_profile | awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) print $(i + 2) + 0 }'; }

# at_least EVENT COUNT: those that met another probe in its work are counted as lost, and count here.
at_least() {
	got=$(($(hits "$1") + $(lost "$1")))
	say "$1: $(hits "$1") hits, $(lost "$1") lost"
	[ "$got" -ge "$2" ] || bad "$1: $got hits of at least $2"
}

kernel_probes() {
	echo > $tracing/kprobe_events
	# 9: behind the mark for indirect calls and the call of the tracer.
	for probe in "p:call handle_oob_syscall" "p:inside handle_oob_syscall+9" "r:return handle_oob_syscall" \
		"p:irq handle_oob_irq" "p:switch dovetail_context_switch+9"; do
		echo "$probe" >> $tracing/kprobe_events || bad "$probe: it cannot be set"
	done
	echo 1 > $tracing/events/kprobes/enable
	# Breakpoints are replaced by jumps a little later, where that is allowed.
	[ "$1" = 0 ] || sleep 1
	say "$(grep -c OPTIMIZED /sys/kernel/debug/kprobes/list) of $(wc -l </sys/kernel/debug/kprobes/list) are jumps"
	/root/debuggee || bad "the program under kernel probes: $?"
	echo 0 > $tracing/events/kprobes/enable
	for name in call inside return; do at_least $name $calls; done
	# One interrupt may wake both up, and one of them is switched to by the other.
	at_least switch $((calls / 2))
	at_least irq $((calls / 4))
	[ $(($(hits call) + $(lost call))) = $(($(hits inside) + $(lost inside))) ] || bad "calls were seen at one place and not at the other"
}

for jumps in 0 1; do
	[ -e /proc/sys/debug/kprobes-optimization ] && echo $jumps > /proc/sys/debug/kprobes-optimization
	kernel_probes $jumps
done
echo > $tracing/kprobe_events

echo "p:tick /root/debuggee:$1" > $tracing/uprobe_events || bad "tick: it cannot be probed"
echo 1 > $tracing/events/uprobes/enable
/root/debuggee || bad "the program under a probe of its own: $?"
echo 0 > $tracing/events/uprobes/enable
say "tick: $(hits tick) hits"
[ "$(hits tick)" = $calls ] || bad "tick: $(hits tick) hits of $calls"
echo > $tracing/uprobe_events
/root/debuggee || bad "the program afterwards: $?"
[ $failed -eq 0 ] && say ok
exit $failed
