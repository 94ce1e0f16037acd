# shellcheck shell=sh
# Guest side, for the torture tests: tasks that run out-of-band meanwhile. /root/debuggee has two threads, which attach, run 400 times
# out-of-band, 1 ms apart, on whatever CPU is there, and detach; as soon as it has ended well it is started again.
oob_begin() {
	rm -f /tmp/oob-stop /tmp/oob-rounds
	( rounds=0
	  while [ ! -e /tmp/oob-stop ]; do
		/root/debuggee >/tmp/oob-output || { tail -n 3 /tmp/oob-output; exit 1; }
		rounds=$((rounds + 1))
		echo $rounds >/tmp/oob-rounds
	  done ) &
	oob_tasks=$!
}

# Succeeds if all of them ended well, and enough of them.
oob_end() {
	touch /tmp/oob-stop
	wait $oob_tasks || { echo "out-of-band tasks: one failed"; return 1; }
	echo "out-of-band tasks: $(cat /tmp/oob-rounds) runs of two, out-of-band 400 times each"
	[ "$(cat /tmp/oob-rounds)" -ge 5 ]
}
