"""Bad input to the scripts: a clear message on stderr and a status that is not zero, never a traceback.

Each case runs the real script. What would harm this checkout (a broken patch) is done to a toy project, a copy of the
scripts with a "kernel" of three files.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

import common

from check import context as base
from check.context import Context

CHECK = common.SCRIPTS / "check"
_NO_PACKAGES = "#!/bin/sh\necho 'E: Could not resolve deb.debian.org' >&2\nexit 100\n"


def run(context: Context) -> None:
    with tempfile.TemporaryDirectory(prefix="inputs-") as folder:
        scratch = pathlib.Path(folder)
        _wrong_words(context)
        _no_disk_space(context, scratch)
        _missing_package(context, scratch)
        _missing_qemu(context, scratch)
        _missing_kernel(context, scratch)
        _broken_patches(context)
    context.fact(f"{_Count.cases} cases")


class _Count:
    cases = 0


def _fails(context: Context, argv: list, statuses: tuple[int, ...], *parts: str, env: dict[str, str] | None = None) -> None:
    """One case: the status, the words that the message must hold, and no traceback."""
    _Count.cases += 1
    done = context.command(argv, env={"DOVETAIL_IN_CHECK": "", **(env or {})})
    _judge(context, " ".join(str(word) for word in argv), done.status, done.err, statuses, parts)


def _judge(context: Context, name: str, status: int | None, err: str, statuses: tuple[int, ...], parts: tuple[str, ...]) -> None:
    context.expect(status in statuses, f"`{name}` ended with {status}, not {' or '.join(map(str, statuses))}")
    for part in parts:
        context.expect(part in err, f"`{name}` does not say `{part}`")
    context.expect("Traceback" not in err, f"`{name}` ends in a traceback")


def _wrong_words(context: Context) -> None:
    for command in ("build", "clean", "info"):
        _fails(context, [base.KERNEL, command, "--config", "nope"], (2,), "unknown configuration: nope", "lean")
    _fails(context, [base.KERNEL, "frobnicate"], (2,), "frobnicate")
    _fails(context, [base.KERNEL, "build", "-j", "0"], (2,), "not a positive number: 0")
    _fails(context, [base.BOARD, "run", "--config", "nope", "--", "true"], (2,), "unknown configuration", "nope", "lean")
    _fails(context, [base.BOARD, "run", "--smp", "many", "--", "true"], (2,), "--smp")
    _fails(context, [base.BOARD, "run"], (2,), "no command")
    _fails(context, [base.BOARD, "run", "--add", "/does/not/exist", "--", "true"], (2,), "/does/not/exist")
    _fails(context, [base.BOARD, "run", "--expect", "(", "--", "true"], (2,), "--expect")
    _fails(context, [CHECK, "nope"], (2,), "unknown suite: nope", "torture")
    _fails(context, [CHECK, "--config", "nope"], (2,), "unknown configuration: nope", "lean")
    _fails(context, [CHECK, "--smp", "0"], (2,), "not a number from 1 to 64: 0")
    _fails(context, [CHECK, "--renew", "torture"], (2,), "unknown stored verdict: torture", "selftests")
    _fails(context, [common.SCRIPTS / "setup", "nope"], (2,), "unknown package group: nope")
    _fails(context, [common.SCRIPTS / "bench", "inband", "--config", "nope"], (2,), "unknown configuration: nope")


def _no_disk_space(context: Context, scratch: pathlib.Path) -> None:
    # A disk that is really small, where mounting one is allowed; a pretended one everywhere.
    _fails(context, [base.KERNEL, "prepare"], (1,), "not enough disk space", "100 MB free", "clean",
           env={"DOVETAIL_BUILD": str(scratch / "build"), "DOVETAIL_FREE_MB": "100"})
    small = scratch / "small"
    small.mkdir()
    mounted = context.command(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", small]).status == 0
    if not mounted:
        context.say("no right to mount a small disk: only the pretended one was tried")
        return
    try:
        _fails(context, [base.KERNEL, "prepare"], (1,), "not enough disk space", "32 MB free",
               env={"DOVETAIL_BUILD": str(small / "build")})
    finally:
        context.command(["umount", "-l", small])


def _missing_package(context: Context, scratch: pathlib.Path) -> None:
    tools = scratch / "apt"
    _script(tools / "apt-get", _NO_PACKAGES)
    env = {"DOVETAIL_MISSING_PACKAGE": "flex", "PATH": f"{tools}:{os.environ['PATH']}"}
    _fails(context, [common.SCRIPTS / "setup"], (1,), "apt-get update failed", "Could not resolve", env=env)
    _fails(context, [CHECK, "style"], (1,), "apt-get update failed", env=env)
    done = context.command([common.SCRIPTS / "setup", "--check"], env=env)
    _Count.cases += 1
    context.expect(done.status == 1 and "missing: flex" in done.out, "`setup --check` does not name the missing package")


def _missing_qemu(context: Context, scratch: pathlib.Path) -> None:
    """A PATH with every program but QEMU."""
    tools = scratch / "bin"
    tools.mkdir()
    for folder in os.environ["PATH"].split(":"):
        for path in sorted(pathlib.Path(folder).glob("*")) if folder else []:
            if not path.name.startswith("qemu") and not (tools / path.name).is_symlink():
                (tools / path.name).symlink_to(path)
    _fails(context, [base.BOARD, "run", "--", "true"], (69,), "QEMU is missing", "./scripts/setup", env={"PATH": str(tools)})


def _missing_kernel(context: Context, scratch: pathlib.Path) -> None:
    _fails(context, [base.BOARD, "run", "--", "true"], (69,), "the kernel lean is not built",
           "./scripts/kernel build --config lean", env={"DOVETAIL_BUILD": str(scratch / "none")})
    _fails(context, [base.BOARD, "run", "--kernel", scratch / "bzImage", "--", "true"], (69,), "no such file")


def _broken_patches(context: Context) -> None:
    """In a toy project: a patch that does not apply, one that the series names but nobody has."""
    sys.path.insert(0, str(common.ROOT / "tests" / "unit" / "scripts"))
    try:
        import toy
    finally:
        sys.path.pop(0)
    subject = "From: A <a@example.org>\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nSubject: [PATCH] main: change it\n\nWhy.\n---\n"
    hunk = ("diff --git a/kernel/main.c b/kernel/main.c\n--- a/kernel/main.c\n+++ b/kernel/main.c\n"
            "@@ -1,3 +1,3 @@\n int nothing_like_it;\n-int there;\n+int here;\n int here_neither;\n--\n2.39\n")
    for files, parts in (({"series": "0001-broken.patch\n", "0001-broken.patch": subject + hunk},
                          ("0001-broken.patch", "kernel/main.c")),
                         ({"series": "0001-nobody-has-it.patch\n"}, ("0001-nobody-has-it.patch",))):
        made = toy.Toy()
        try:
            for name, text in files.items():
                toy.write(made.patches / name, text)
            done: subprocess.CompletedProcess = made.kernel("prepare")
            context.log(f"$ kernel prepare, in a toy project with {', '.join(files)}\n{done.stdout}{done.stderr}"
                        f"-- status {done.returncode}\n")
            _Count.cases += 1
            _judge(context, f"kernel prepare with {', '.join(files)}", done.returncode, done.stderr, (1,), parts)
        finally:
            made.close()


def _script(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
