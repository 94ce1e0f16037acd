#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: runs GoogleTest programs one after the other, each within a limit, and looks for what they leave behind.
# Usage: run.sh LIMIT_S PROGRAM...
# Prints a line per program, `target: NAME status N` or `target: NAME left ELEMENT`; ends with 0 if all did well.

limit_s=$1
shift
all=0

# The nodes of the classes are there always; whatever else is, somebody made.
left() {
	for class in thread monitor xbuf proxy; do
		for element in /sys/devices/virtual/$class/*/uevent; do
			case $element in
			*/clone/uevent | *'*'*) ;;
			*) echo "${element%/uevent}" ;;
			esac
		done
	done
}

for program in "$@"; do
	name=${program##*/}
	echo "target: $name"
	timeout -s KILL "$limit_s" "$program" --gtest_color=no
	status=$?
	echo "target: $name status $status"
	[ "$status" = 0 ] || all=1
	# A process is gone before the last of what it had open: its files are closed on their way.
	tries=0
	while [ -n "$(left)" ] && [ "$tries" -lt 300 ]; do
		tries=$((tries + 1))
		usleep 100000
	done
	for element in $(left); do
		echo "target: $name left $element"
		all=1
	done
done
exit $all
