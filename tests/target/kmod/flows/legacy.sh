#!/bin/sh
# Guest side: the legacy controllers, for a kernel booted with `noapic` on the `pc` machine (i8259), or without it
# (IO-APIC). Timer, serial and keyboard lines go through the controller; the tick of a CPU may come from the PIT.
#   board run --config lean --smp 1 --machine pc --append "noapic nolapic_timer" --add legacy.sh:/legacy.sh -- /legacy.sh
failed=0
say() { echo "legacy: $*"; }
bad() { say "FAILED $*"; failed=1; }
count() { awk -v what="$1" '$0 ~ what { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) sum += $i } END { print sum + 0 }' /proc/interrupts; }

cat /proc/interrupts
if grep -q noapic /proc/cmdline; then
	grep -q XT-PIC /proc/interrupts || bad "noapic, but no line is on the i8259"
	grep -q IO-APIC /proc/interrupts && bad "noapic, but the IO-APIC is in use"
fi

timer=$(count '[ -]timer$')

# The console is a serial port: every line of output takes transmit interrupts.
before=$(count ttyS0)
n=0
while [ $n -lt 200 ]; do
	echo "legacy: line $n of output that the serial port has to interrupt for, many times over" >/dev/ttyS0
	n=$((n + 1))
done
sleep 1
grown=$(($(count ttyS0) - before))
[ "$grown" -gt 200 ] || bad "serial port: $grown interrupts"
say "serial port: $grown interrupts"

# Time goes by at its own rate, whoever ticks.
start=$(cut -d' ' -f1 /proc/uptime)
ticks=$(awk '/^jiffies:/ { print $2; exit }' /proc/timer_list 2>/dev/null)
sleep 5
end=$(cut -d' ' -f1 /proc/uptime)
awk -v a="$start" -v b="$end" 'BEGIN { exit !(b - a > 4.9 && b - a < 7) }' || bad "sleep 5 took from $start to $end"
if grep -q nolapic_timer /proc/cmdline; then
	# The tick is the PIT's or the HPET's then, by line 0.
	timer=$(($(count '[ -]timer$') - timer))
	[ "$timer" -gt 20 ] || bad "timer line: $timer interrupts"
	[ "$(awk '$1 == "LOC:" { print $2 }' /proc/interrupts)" = 0 ] || bad "nolapic_timer, but the local APIC's timer fires"
	say "timer line: $timer interrupts"
fi
say "uptime $start to $end, jiffies at the start ${ticks:-unknown}"
[ $failed -eq 0 ] && say ok
exit $failed
