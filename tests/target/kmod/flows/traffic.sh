#!/bin/sh
# Guest side: MSI-X traffic of ordinary drivers while the pipeline is tortured. Run as
#   board run --config lean --smp 2 --device e1000e --device nvme,serial=1,drive=d0 --drive d0=IMAGE \
#       --add irqptorture.ko:/irqptorture.ko --add traffic.sh:/traffic.sh -- /traffic.sh [SECONDS]
# Devices that are not there are skipped, none at all is a failure. A driver that misses an interrupt
# times out, which takes 10 to 30 s and shows in the log; here, counts have to grow and data has to be the same.
seconds=${1:-30}
failed=0
found=0

say() { echo "traffic: $*"; }
bad() { say "FAILED $*"; failed=1; }
# All deliveries of lines whose description matches.
interrupts() { awk -v what="$1" '$0 ~ what { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) sum += $i } END { print sum + 0 }' /proc/interrupts; }

torture=
if [ -f /irqptorture.ko ]; then
	# Stalls, stop_machine and the timer; hotplug moves the queues' interrupts about as well.
	insmod /irqptorture.ko seconds="$seconds" only=timer,stalls,freeze,sirq,work,ipi,hotplug &
	torture=$!
	sleep 2
fi

if [ -b /dev/nvme0n1 ]; then
	found=1
	before=$(interrupts nvme0q)
	first=$(dd if=/dev/nvme0n1 bs=64k count=128 2>/dev/null | md5sum)
	rounds=0
	end=$(($(date +%s) + seconds / 2))
	while [ "$(date +%s)" -lt "$end" ]; do
		now=$(dd if=/dev/nvme0n1 bs=4k count=2048 iflag=direct 2>/dev/null | md5sum)
		[ "$now" = "$first" ] || bad "nvme0n1 reads differ"
		rounds=$((rounds + 1))
	done
	# The image of the test is 16 MB; what is written to its second half has to come back.
	dd if=/dev/urandom of=/tmp/written bs=64k count=64 2>/dev/null
	dd if=/tmp/written of=/dev/nvme0n1 bs=4k seek=2048 oflag=direct 2>/dev/null || bad "nvme0n1 cannot be written"
	back=$(dd if=/dev/nvme0n1 bs=4k skip=2048 count=1024 iflag=direct 2>/dev/null | md5sum)
	[ "$back" = "$(md5sum </tmp/written)" ] || bad "nvme0n1 gives back something else"
	rm /tmp/written
	grown=$(($(interrupts nvme0q) - before))
	[ "$grown" -gt 1000 ] || bad "nvme0: $grown interrupts"
	say "nvme0: $rounds rounds, $grown interrupts"
fi

for device in /sys/class/net/*; do
	name=${device##*/}
	[ "$(basename "$(readlink -f "$device/device/driver" 2>/dev/null)")" = e1000e ] || continue
	found=1
	before=$(interrupts "$name")
	ifconfig "$name" 10.99.0.1 netmask 255.255.255.0 up
	sleep 3
	sent=$(cat "$device/statistics/tx_packets")
	# Nobody is there to answer a question for its address, so it is given: what is sent then leaves the card.
	arp -i "$name" -s 10.99.0.2 02:00:00:00:00:02 || bad "$name: no neighbour can be set"
	ping -c 300 -i 0.01 -W 1 10.99.0.2 >/dev/null 2>&1
	sleep 1
	sent=$(($(cat "$device/statistics/tx_packets") - sent))
	grown=$(($(interrupts "$name") - before))
	[ "$grown" -gt 10 ] || bad "$name: $grown interrupts"
	[ "$sent" -gt 100 ] || bad "$name: $sent packets"
	say "$name: $sent packets, $grown interrupts"
	ifconfig "$name" down
done

if grep -q virtio /sys/class/misc/hw_random/rng_current 2>/dev/null; then
	found=1
	before=$(interrupts virtio)
	dd if=/dev/hwrng of=/dev/null bs=64 count=2000 2>/dev/null || bad "hwrng: read failed"
	grown=$(($(interrupts virtio) - before))
	[ "$grown" -gt 500 ] || bad "hwrng: $grown interrupts"
	say "hwrng: $grown interrupts"
fi

[ $found -eq 1 ] || bad "no device to test"
if [ -n "$torture" ]; then
	wait $torture || bad "irqptorture: $?"
fi
[ $failed -eq 0 ] && say ok
exit $failed
