#!/bin/sh
# Guest side: idle states C1 and C2, alone and under the torture test. idle.sh on|off SECONDS
# The first word is the board's --arat: with `off` the local APIC's timer stops in C2, and the broadcast timer has to wake the
# CPU, unless the timer belongs to a core, as in the torture test: then C2 must be left out.
arat=$1
seconds=$2
failed=0
say() { echo "idle: $*"; }
bad() { say "FAILED $*"; failed=1; }
cpus=/sys/devices/system/cpu

# usage STATE: a number per CPU. 0 where there is no such state.
usage() {
	for cpu in $cpus/cpu[0-9]*; do
		found=0
		for state in "$cpu"/cpuidle/state*; do
			[ "$(cat "$state/name" 2>/dev/null)" = "$1" ] && found=$(cat "$state/usage")
		done
		echo "$found"
	done | tr '\n' ' '
}

# grown STATE "BEFORE" LEAST WHEN: on each CPU.
grown() {
	set -- "$1" "$3" "$4" $2
	state=$1 least=$2 when=$3
	shift 3
	for now in $(usage "$state"); do
		[ $((now - $1)) -ge "$least" ] || bad "$state was entered $((now - $1)) times on a CPU $when"
		shift
	done
	say "$state $when: $(usage "$state")"
}

# Of line 0, the HPET's: the broadcast timer.
broadcasts() { awk '/IO-APIC +2-edge +timer/ { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) sum += $i } END { print sum + 0 }' /proc/interrupts; }

[ "$(cat $cpus/cpuidle/current_driver)" = acpi_idle ] || bad "the driver is $(cat $cpus/cpuidle/current_driver)"

c1=$(usage C1) c2=$(usage C2) line=$(broadcasts) start=$(cut -d. -f1 /proc/uptime)
for cpu in $cpus/cpu[0-9]*; do
	number=${cpu##*cpu}
	# Short sleeps let the governor take C1, long ones C2.
	taskset "$((1 << number))" sh -c 'n=0; while [ $n -lt 200 ]; do usleep 500; n=$((n + 1)); done
		n=0; while [ $n -lt 200 ]; do usleep 9000; n=$((n + 1)); done' &
done
wait
sleep 2
took=$(($(cut -d. -f1 /proc/uptime) - start)) line=$(($(broadcasts) - line))
say "sleeping took $took s, $line broadcasts"
# Four seconds, and what a busy host adds. A wake-up that is lost costs one until something else wakes the CPU.
[ $took -lt 60 ] || bad "sleeping took $took s"
grown C1 "$c1" 20 "asleep"
grown C2 "$c2" 20 "asleep"
if [ "$arat" = off ]; then
	[ "$line" -gt 100 ] || bad "$line broadcasts without arat"
else
	[ "$line" -lt 10 ] || bad "$line broadcasts with arat"
fi

c1=$(usage C1) c2=$(usage C2)
insmod /irqptorture.ko seconds="$seconds" hotplug=0 || bad "irqptorture: $?"
grown C1 "$c1" 1 "in the torture test"
[ "$arat" = off ] || grown C2 "$c2" 1 "in the torture test"

# The timer is back where it was.
c2=$(usage C2) line=$(broadcasts)
n=0
while [ $n -lt 100 ]; do
	usleep 9000
	n=$((n + 1))
done
sleep 2
grown C2 "$c2" 20 "after it"
[ "$arat" = on ] || [ $(($(broadcasts) - line)) -gt 20 ] || bad "$(($(broadcasts) - line)) broadcasts after the torture test"
[ $failed -eq 0 ] && say ok
exit $failed
