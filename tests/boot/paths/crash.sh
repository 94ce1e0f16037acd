#!/bin/sh
# Guest side: a crash kernel is loaded, an oops in an oob handler makes the first kernel panic, and the second one finds the memory
# of the first in /proc/vmcore, with a line that was in its log. It is what reports success. Needs /bzImage, kexec(8), /planted.ko.
marker="the first kernel was here, and wrote this line"
say() { echo "crash: $*"; }
bad() { say "FAILED $*"; exit 1; }

if grep -q 'second=' /proc/cmdline; then
	say "the crash kernel runs: $(uname -r), $(grep -c ^processor /proc/cpuinfo) CPU, $(free -m | awk '/^Mem/ { print $2 }') MB"
	[ "$(dd if=/proc/vmcore bs=1 skip=1 count=3 2>/dev/null)" = ELF ] || bad "/proc/vmcore is not there, or not a core"
	grep -q -a "$marker" /proc/vmcore || bad "the log of the first kernel is not in /proc/vmcore"
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
