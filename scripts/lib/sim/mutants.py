"""Plants each bug of tests/mutants in a copy of the core, and lets the simulator look for it. Used by suite `mutants`.

A mutant is a patch against the project with a first line that says what is wrong with it. It must apply, build, and be
found; the number of schedules it took is what is printed. Built without sanitizers: what is looked for are broken rules,
and more schedules fit into the time.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import common

from sim import cli

FOLDER = common.ROOT / "tests" / "mutants"
CORE = pathlib.Path("kernel/evl")
_LIBRARY = "libevl-core-sim-plain.so"


@dataclass(frozen=True)
class Verdict:
    name: str
    why: str        # What is planted.
    found: bool
    text: str       # "after 12 schedules: ..." or what went wrong.


def catalogue() -> list[pathlib.Path]:
    return sorted(FOLDER.glob("*.patch"))


def title(patch: pathlib.Path) -> str:
    return patch.read_text().splitlines()[0].lstrip("# ").strip()


def prepare() -> pathlib.Path:
    """Builds the simulator without sanitizers; the program."""
    return cli.built("tests/sim/sim-plain")


def try_one(patch: pathlib.Path, program: pathlib.Path, seconds: int, run: Callable[[list[str], int], tuple[int | None, str]]) -> Verdict:
    """`run` executes a command with a limit in seconds; status (None: ended by the limit) and output."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        copy = pathlib.Path(name)
        shutil.copytree(common.ROOT / CORE, copy / CORE)
        done = subprocess.run(["patch", "-p1", "--no-backup-if-mismatch", "-F0", "-i", patch], cwd=copy, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            return Verdict(patch.stem, title(patch), False, f"does not apply: {done.stdout.strip()}")
        error = _build(copy, patch, program, run)
        if error:
            return Verdict(patch.stem, title(patch), False, f"does not build: {error}")
        binary = copy / "sim" if (copy / "sim").exists() else program
        status, out = run(["env", f"LD_PRELOAD={copy / _LIBRARY}", str(binary), "--for", str(seconds), "--lines", "1"], seconds + 60)
        found = re.search(r"^found by schedule (\d+)", out, re.MULTILINE)
        reason = re.search(r"^FAILED (.*)", out, re.MULTILINE)
        if status == 1 and found and reason:
            return Verdict(patch.stem, title(patch), True, f"schedule {found[1]}: {reason[1][:100]}")
        if status is not None and (status < 0 or status > 2):
            return Verdict(patch.stem, title(patch), True, f"the host ended it with status {status}")
        return Verdict(patch.stem, title(patch), False, f"not found in {seconds} s: {out.strip()[-200:]}")


def _build(copy: pathlib.Path, patch: pathlib.Path, program: pathlib.Path, run: Callable[[list[str], int], tuple[int | None, str]]) -> str:
    """Compiles what the patch touches and links the library; empty, or the error."""
    touched = re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(), re.MULTILINE)
    whole = any(name.endswith(".h") for name in touched)
    sim = common.ROOT / "tests" / "sim"
    compile_words = ["g++", "-std=c++20", "-g1", "-O1", "-fPIC", f"-I{sim}", f"-I{sim / 'kapi'}", f"-I{copy / CORE}",
                     f"-I{common.ROOT / 'include' / 'uapi'}", "-c"]
    if shutil.which("ccache"):
        compile_words.insert(0, "ccache")
    prebuilt = program.parent / f"{_LIBRARY}.p"
    objects: list[str] = []
    for source in sorted((copy / CORE).rglob("*.cc")):
        relative = source.relative_to(copy)
        if "drivers" in relative.parts:
            continue
        built = next(iter(prebuilt.glob(f"*{str(relative).replace('/', '_')}.o")), None)
        if built and not whole and str(relative) not in touched:
            objects.append(str(built))
            continue
        made = str(copy / f"{str(relative).replace('/', '_')}.o")
        status, out = run([*compile_words, str(source), "-o", made], 120)
        if status:
            return out[-400:]
        objects.append(made)
    status, out = run(["g++", "-shared", "-Wl,-z,now", "-Wl,-Bsymbolic", f"-Wl,-soname,{_LIBRARY}", "-o", str(copy / _LIBRARY), *objects], 60)
    if status or not whole:
        return out[-400:] if status else ""
    # The checks read the core's headers as well.
    program_objects = [str(path) for path in (program.parent / "sim-plain.p").glob("*.o") if not path.name.startswith("check_")]
    for source in (sim / "check").glob("*.cc"):
        made = str(copy / f"check_{source.stem}.o")
        status, out = run([*compile_words, str(source), "-o", made], 120)
        if status:
            return out[-400:]
        program_objects.append(made)
    status, out = run(["g++", "-rdynamic", "-o", str(copy / "sim"), *program_objects, str(copy / _LIBRARY), f"-Wl,-rpath,{copy}"], 60)
    return out[-400:] if status else ""
