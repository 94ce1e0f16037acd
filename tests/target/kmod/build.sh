#!/bin/sh
# Builds the test modules against a kernel: build.sh KERNEL_BUILD_DIR OUT_DIR [MODULE]...
# Works on copies under OUT_DIR, so that one source serves several configurations. `preempt` builds
# for any kernel, the others need CONFIG_IRQ_PIPELINE. Prints the path of each module.
set -eu
if [ $# -lt 2 ] || [ ! -f "$1/.config" ]; then
	echo "usage: $0 KERNEL_BUILD_DIR OUT_DIR [MODULE]..." >&2
	exit 2
fi
kernel=$(readlink -f "$1")
mkdir -p "$2"
out=$(readlink -f "$2")
here=$(dirname "$(readlink -f "$0")")
shift 2
if [ $# -eq 0 ]; then
	set -- preempt
	if grep -q '^CONFIG_IRQ_PIPELINE=y' "$kernel/.config"; then
		set -- preempt planted flows
	fi
fi
for module in "$@"; do
	mkdir -p "$out/$module"
	# -p and -u: what did not change is not built again. Headers of several modules are beside their folders.
	cp -pu "$here"/*.h "$out/"
	cp -pu "$here/$module"/* "$out/$module/"
	make -s -C "$kernel" M="$out/$module" modules >&2
	echo "$out/$module/$module.ko"
done
