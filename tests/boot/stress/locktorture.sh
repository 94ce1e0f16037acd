#!/bin/sh
# Guest side: locktorture over several kinds of lock, with CPU hotplug, so many seconds in all, beside tasks that run out-of-band.
# locktorture.sh SECONDS
. /root/oob.sh
seconds=$1
types="spin_lock_irq raw_spin_lock_irq rw_lock_irq mutex_lock rwsem_lock rtmutex_lock"
count=0
for type in $types; do count=$((count + 1)); done
bad() { echo "locktorture: FAILED $*"; dmesg | grep -E 'torture' | tail -n 20; exit 1; }

oob_begin
for type in $types; do
	dmesg -c >/dev/null
	modprobe locktorture torture_type="$type" onoff_interval=5 onoff_holdoff=5 stat_interval=10 || bad "$type: it cannot be loaded"
	sleep $((seconds / count))
	rmmod locktorture || bad "$type: it cannot be unloaded"
	dmesg | grep -q 'End of test: SUCCESS' || bad "$type: no success"
	writes=$(dmesg | sed -n 's/.*Writes: *Total: *\([0-9]*\).*/\1/p' | tail -n 1)
	[ "${writes:-0}" -gt 100 ] || bad "$type: the lock was taken ${writes:-no} times"
	echo "locktorture: $type: taken $writes times"
done
oob_end || bad "out-of-band tasks"
echo "locktorture: ok"
