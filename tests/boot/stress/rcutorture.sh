#!/bin/sh
# Guest side: rcutorture for so many seconds, with CPU hotplug, beside tasks that run out-of-band. rcutorture.sh SECONDS
. /root/oob.sh
seconds=$1
bad() { echo "rcutorture: FAILED $*"; dmesg | grep -E 'torture' | tail -n 20; exit 1; }

modprobe rcutorture onoff_interval=1000 onoff_holdoff=10 stat_interval=30 fwd_progress=0 || bad "it cannot be loaded"
oob_begin
sleep "$seconds"
oob_end || bad "out-of-band tasks"
rmmod rcutorture || bad "it cannot be unloaded"
dmesg | grep -q 'rcu-torture:--- End of test: SUCCESS' || bad "no success"
updates=$(dmesg | sed -n 's/.*rtc: [0-9a-f]* ver: \([0-9]*\).*/\1/p' | tail -n 1)
[ "${updates:-0}" -gt 100 ] || bad "only ${updates:-no} updates"
echo "rcutorture: $updates updates"
echo "rcutorture: ok"
