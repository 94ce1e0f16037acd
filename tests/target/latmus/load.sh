#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: loads the in-band stage until the guest ends. Files are in /tmp (tmpfs).
#
#   load.sh plain      what Documentation/testing.md calls the load: the four loops that reference figures were measured with
#   load.sh loopback   the same, and traffic over the loopback interface
#   load.sh heavy      hackbench, stress-ng, a disk (/dev/vda, written raw) and a network card (eth0)
#
# It returns when everything runs. No output: a slow serial port would be part of the load.

zeroes() { dd if=/dev/zero of=/dev/null bs=64k; }
writes() { while :; do dd if=/dev/zero of="$1" bs=4k count=1000 conv=notrunc; done; }
forks() { while :; do /bin/busybox true; done; }
senders() { hackbench -g "$1" -f 5 -l 100000000 -s 256; }
loopback() {
	while :; do nc -l -p 4000 >/dev/null; done &
	while :; do dd if=/dev/zero bs=4k count=1000 | nc 127.0.0.1 4000; done
}
disk() { while :; do dd if=/dev/zero of=/dev/vda bs=64k count=128 conv=fsync; dd if=/dev/vda of=/dev/null bs=64k count=128 iflag=direct; done; }
network() { while :; do tftp -g -r data -l /dev/null 10.0.2.2; done; }

{
	case "$1" in
	plain | loopback)
		zeroes &
		writes /tmp/y &
		forks &
		senders 1 &
		[ "$1" = plain ] || loopback &
		;;
	heavy)
		[ -b /dev/vda ] || exit 1
		ip address add 10.0.2.15/24 dev eth0 && ip link set eth0 up || exit 1
		senders 2 &
		(cd /tmp && stress-ng --cpu 1 --vm 1 --vm-bytes 32m --fork 1 --timer 1 --timer-freq 1000 --switch 1 --sock 1) &
		disk &
		network &
		forks &
		;;
	*)
		exit 2
		;;
	esac
} >/dev/null 2>&1 </dev/null
