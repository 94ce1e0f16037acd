#!/bin/sh
# Guest side: from the running kernel into another one, of the same image. Needs /bzImage and kexec(8).
#	kexec.sh now	by reboot, with out-of-band interrupts going on until the end
#	kexec.sh oops	by a crash: an oops in an oob handler (planted.ko), which takes down the other CPUs and
#			starts the kernel that was loaded for that; needs `crashkernel=` on the command line
# The second kernel finds `second=` on its command line, and is what reports success.
mode=$1
say() { echo "kexec: $*"; }
bad() { say "FAILED $*"; exit 1; }

if grep -q 'second=' /proc/cmdline; then
	say "the second kernel runs: $(uname -r), $(grep -c ^processor /proc/cpuinfo) CPUs"
	if [ "$mode" = oops ]; then
		[ -s /proc/vmcore ] || bad "no /proc/vmcore"
		say "vmcore has $(stat -c %s /proc/vmcore) bytes"
	fi
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
options="$(sed 's/crashkernel=[^ ]*//' /proc/cmdline) second=$mode"
case $mode in
now)
	kexec -l /bzImage --initrd=/tmp/initrd --command-line="$options" || bad "kexec -l: $?"
	insmod /irqptorture.ko seconds=30 hotplug=0 only=timer,stalls,sirq,work,ipi &
	sleep 3
	grep -q '\[oob\]' /proc/interrupts || bad "no out-of-band interrupt"
	say "leaving $(uname -r)"
	kexec -e
	;;
oops)
	kexec -p /bzImage --initrd=/tmp/initrd --command-line="$options nr_cpus=1 reset_devices" || bad "kexec -p: $?"
	say "crashing $(uname -r)"
	sync
	insmod /root/planted.ko mistake=oops
	;;
esac
bad "kexec $mode came back: $?"
