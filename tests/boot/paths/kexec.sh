#!/bin/sh
# Guest side: from the running kernel into another one, of the same image, while out-of-band interrupts go on until the end.
# Needs /bzImage and kexec(8). The second kernel finds `second=` on its command line, and is what reports success.
say() { echo "kexec: $*"; }
bad() { say "FAILED $*"; exit 1; }

if grep -q 'second=' /proc/cmdline; then
	say "the second kernel runs: $(uname -r), $(grep -c ^processor /proc/cpuinfo) CPUs"
	start=$(cut -d. -f1 /proc/uptime)
	sleep 2
	[ $(($(cut -d. -f1 /proc/uptime) - start)) -ge 2 ] || bad "time stands still"
	say ok
	exit 0
fi

# This very guest is the second one's as well. Bound elsewhere, to see what is below the mounts: /dev/console, empty folders.
mount --bind / /mnt || bad "bind"
(cd /mnt && find . -xdev ! -path ./bzImage | cpio -o -H newc 2>/dev/null) >/tmp/initrd || bad "cpio"
umount /mnt
kexec -l /bzImage --initrd=/tmp/initrd --command-line="$(cat /proc/cmdline) second=now" || bad "kexec -l: $?"
insmod /irqptorture.ko seconds=30 hotplug=0 only=timer,stalls,sirq,work,ipi &
sleep 3
grep -q '\[oob\]' /proc/interrupts || bad "no out-of-band interrupt"
say "leaving $(uname -r)"
kexec -e
bad "kexec came back: $?"
