"""How fast this computer's time stamp counter ticks, for guests that would measure it wrong.

An emulated guest reads the host's counter, and calibrates it by counting while a timer runs. On a busy host its virtual CPU stands still
meanwhile: the guest then takes the counter for up to twelve times slower than it is, and its clock runs as many times too fast. What
depends on time fails in it: watchdogs, limits, a thread that must run once per second.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import platform
import time

# rdtsc; shl $32, %rdx; or %rdx, %rax; ret
_READ = bytes.fromhex("0f31 48c1e220 4809d0 c3")
_SPAN_S = 0.05
_TRIES = 50


@functools.cache
def host_khz() -> int:
    """Measured once; 0 where it cannot be."""
    if platform.machine() != "x86_64":
        return 0
    try:
        code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:  # A host that forbids memory both writable and executable.
        return 0
    code.write(_READ)
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))

    def moment() -> tuple[int, int]:
        """Date in ns, and the counter then: of several readings the one least disturbed."""
        found = []
        for _ in range(_TRIES):
            before = time.monotonic_ns()
            ticks = read()
            after = time.monotonic_ns()
            found.append((after - before, (before + after) // 2, ticks))
        return min(found)[1:]

    first = moment()
    time.sleep(_SPAN_S)
    last = moment()
    return round((last[1] - first[1]) * 1_000_000 / (last[0] - first[0]))
