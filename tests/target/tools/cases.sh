#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: runs the commands of a file, one per line, "NAME<tab>COMMAND", and shows what each did: lines "@case NAME STATUS",
# "@out" with its output below, "@err" with its messages. What they should have done is known to scripts/lib/check/suite_tools.py.
tab=$(printf '\t')
while IFS="$tab" read -r name command; do
	sh -c "$command" >/tmp/case.out 2>/tmp/case.err </dev/null
	echo "@case $name $?"
	echo @out
	cat /tmp/case.out
	echo @err
	cat /tmp/case.err
done <"$1"
echo @end
