#!/bin/sh
# Guest side: a crash kernel is loaded, an oops in an oob handler makes the first kernel panic, and the second one finds the memory
# of the first in /proc/vmcore, with its log. It is what reports success. Needs /bzImage, kexec(8), vmcore-dmesg(8), /planted.ko.
marker="the first kernel was here, and wrote this line"
say() { echo "crash: $*"; }
bad() { say "FAILED $*"; exit 1; }

if grep -q 'second=' /proc/cmdline; then
	say "the crash kernel runs: $(uname -r), $(grep -c ^processor /proc/cpuinfo) CPU, $(free -m | awk '/^Mem/ { print $2 }') MB"
	[ "$(dd if=/proc/vmcore bs=1 skip=1 count=3 2>/dev/null)" = ELF ] || bad "/proc/vmcore is not there, or not a core"
	# The log alone: in the core as a whole are also this script and the memory of the shell that ran it.
	vmcore-dmesg /proc/vmcore >/tmp/log || bad "vmcore-dmesg: $?"
	grep -q "$marker" /tmp/log || bad "the line is not in the log of the first kernel: $(tail -n 3 /tmp/log)"
	# Out-of-band code leaves the console to in-band code, which did not come to it any more: the report is here, and only here.
	for line in "BUG: kernel NULL pointer dereference" "RIP: [0-9]*:planted_oops+" "handle_oob_irq+"; do
		grep "$line" /tmp/log | head -n 1 | grep . || bad "the report of the oops is not in the log: no $line"
	done
	say ok
	exit 0
fi

echo "$marker" > /dev/kmsg
# This very guest is the second one's as well. Bound elsewhere, to see what is below the mounts: /dev/console, empty folders.
mount --bind / /mnt || bad "bind"
(cd /mnt && find . -xdev ! -path ./bzImage | cpio -o -H newc 2>/dev/null) >/tmp/initrd || bad "cpio"
umount /mnt
words=$(sed 's/crashkernel=[^ ]*//' /proc/cmdline)
kexec -p /bzImage --initrd=/tmp/initrd --command-line="$words second=now nr_cpus=1 reset_devices" || bad "kexec -p: $?"
[ "$(cat /sys/kernel/kexec_crash_loaded)" = 1 ] || bad "no crash kernel is loaded"
say "leaving $(uname -r) by a crash"
insmod /planted.ko mistake=oops
sleep 10
bad "it did not crash"
