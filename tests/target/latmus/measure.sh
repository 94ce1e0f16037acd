#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: runs latmus under one load after the other. measure.sh LOAD OPTIONS [LOAD OPTIONS]...
#
# LOAD is `idle` or what load.sh knows; a load stays until the guest ends. OPTIONS are words for latmus. Its lines are shown as they
# come, its report follows as one line, "@json {...}", and a page it wrote to /tmp/page.html as "@html <base64>".

# Without gravity, a figure is the raw time from the date of the timer to the answer, as cyclictest's is.
echo 0i,0k,0u > /sys/devices/virtual/clock/monotonic/gravity || exit 1
loaded=idle
while [ $# -ge 2 ]; do
	if [ "$1" != "$loaded" ]; then
		sh /root/load.sh "$1" || { echo "measure: the load $1 does not run"; exit 1; }
		loaded=$1
		sleep 0.2
	fi
	# shellcheck disable=SC2086 # Words.
	/root/latmus $2 --load="$1" --json >/tmp/report.json
	status=$?
	[ ! -s /tmp/report.json ] || echo "@json $(cat /tmp/report.json)"
	[ ! -s /tmp/page.html ] || echo "@html $(base64 -w 0 /tmp/page.html)"
	rm -f /tmp/page.html
	[ $status = 0 ] || { echo "measure: latmus ended with $status"; exit $status; }
	shift 2
done
