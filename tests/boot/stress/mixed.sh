#!/bin/sh
# Guest side: hackbench and stress-ng at once, while CPUs go off and on. mixed.sh SECONDS
seconds=$1
end=$(($(cut -d. -f1 /proc/uptime) + seconds))
bad() { echo "mixed: FAILED $*"; exit 1; }

( rounds=0
  while [ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ]; do
	hackbench -g 1 -f 4 -l 50 -s 256 >/dev/null || exit 1
	rounds=$((rounds + 1))
  done
  echo "mixed: $rounds rounds of hackbench"
  [ $rounds -gt 0 ] ) &
hackbench=$!
cd /tmp || exit 1
stress-ng --fork 1 --pipe 1 --mmap 1 --mmap-bytes 32m --timer 1 --timer-freq 1000 --signal 1 --sigq 1 --switch 1 \
	--cpu-online 1 --pathological --timeout "$seconds"s --metrics-brief || bad "stress-ng: $?"
wait $hackbench || bad "hackbench"
downs=$(dmesg | grep -c 'is now offline')
[ "$downs" -gt 3 ] || bad "CPUs went down $downs times"
echo "mixed: CPUs went down $downs times"
# Each CPU must be back.
for cpu in /sys/devices/system/cpu/cpu[1-9]*; do
	[ "$(cat "$cpu/online")" = 1 ] || echo 1 > "$cpu/online" || bad "${cpu##*/} does not come back"
done
echo "mixed: ok"
