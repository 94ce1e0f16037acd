"""Messages and exit statuses of scripts/board. The last line on stderr says which verdict it was."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence

import common

from board import kvm
from board import options as board_options
from board.options import Options
from board.run import Board, Kind, Verdict

REPORT_LINES = 80
BOOTS = 3  # With the emulator's own fault in all but the last, see `stale_breakpoint`.


def main(argv: Sequence[str]) -> int:
    options = board_options.parse(argv)
    signal.signal(signal.SIGHUP, _interrupt)
    return common.run_main(lambda: _shell(options) if options.mode == "shell" else _run(options))


def _interrupt(_signum: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _shell(options: Options) -> int:
    board = Board(options)
    try:
        return board.shell()
    finally:
        board.kill()
        board.folder.end(keep=options.keep, whole=options.keep)


def _run(options: Options) -> int:
    for _ in range(BOOTS - 1):
        status = _boot(options, last=False)
        if status is not None:
            return status
    status = _boot(options, last=True)
    assert status is not None
    return status


def _boot(options: Options, *, last: bool) -> int | None:
    """One boot; None if the emulator failed before CMD was started, so that it is to be booted again."""
    board = Board(options)
    keep = True
    try:
        verdict = board.run(sys.stderr.buffer if options.json else sys.stdout.buffer)
        if not last and board.boot_s is None and verdict.unexpected and verdict.unexpected[0].stale_breakpoint:
            keep = options.keep
            common.say("board: the emulator ran a breakpoint that memory does not hold, before CMD was started; booting again")
            return None
        found = board.save_bundle(verdict)
        keep = options.keep or not (verdict.kind in (Kind.cmd, Kind.expected_end) and verdict.status == 0)
        _explain(board, verdict)
        if keep:
            found["folder"] = str(board.folder.path)
            common.say(f"board: logs are in {os.path.relpath(board.folder.path)}")
        if options.json:
            print(json.dumps(found), flush=True)
        common.say(f"board: {verdict.line}")
        return verdict.status
    except KeyboardInterrupt:
        board.kill()
        keep = options.keep
        common.say("\nboard: interrupted; QEMU is ended")
        return 130
    except BrokenPipeError:
        # `board run ... | head`: nobody reads any more, so there is nothing left to do.
        keep = options.keep
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        common.say("board: nobody reads the output any more; QEMU is ended")
        return 141
    except common.Failure:
        keep = options.keep
        raise
    finally:
        board.kill()
        board.folder.end(keep=keep, whole=options.keep)


def _explain(board: Board, verdict: Verdict) -> None:
    """What a failed run shows. One that went well says nothing."""
    for found in verdict.unexpected:
        lines = found.lines
        common.say(f"board: kernel report ({found.kind}):")
        common.say("\n".join(f"  | {line}" for line in lines[:REPORT_LINES]))
        if len(lines) > REPORT_LINES:
            common.say(f"  | ... {len(lines) - REPORT_LINES} more lines in reports.txt")
    for regex in verdict.missing:
        common.say(f"board: no kernel report matched --expect {regex!r}")
    if board.backtraces:
        common.say("board: backtraces of all virtual CPUs:")
        common.say(board.backtraces.rstrip())
    if verdict.kind in (Kind.timeout, Kind.died, Kind.flood) or board.backtraces:
        tail = board.console_tail()
        common.say("board: the last lines of the console:" if tail else "board: the console is empty")
        if tail:
            common.say(tail)
    if (verdict.kind in (Kind.qemu, Kind.died)) and board.qemu_errors():
        common.say(f"board: QEMU said: {board.qemu_errors()}")
        if kvm.GAVE_UP in board.qemu_errors():
            common.say("board: this computer's KVM cannot run the guest; leave --accel out, or take --accel tcg")
