"""checkpatch.pl over the series and the overlay, forbidden includes; in the long form, whether the series applies to the previous 6.12.y."""

from __future__ import annotations

import common
from check import arrows
from check import context as base
from check.context import Context


def run(context: Context) -> None:
    covered, wrong = arrows.check(common.ROOT)
    context.expect(covered > 0 and not wrong, f"forbidden includes: {'; '.join(wrong)}")
    done = context.command([base.KERNEL, "checkpatch"], timeout_s=240, title="checkpatch")
    said = [line for line in (done.out + done.err).splitlines() if line.strip()]
    context.expect(done.status == 0, f"scripts/kernel checkpatch ended with {done.status}: {' / '.join(said[-3:])}")
    if context.values.get("applies"):
        done = context.command([base.KERNEL, "applies"], timeout_s=240, title="applies")
        context.expect(done.status in (0, 77), f"scripts/kernel applies ended with {done.status}: {done.last}")
