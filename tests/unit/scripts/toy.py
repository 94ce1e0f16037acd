"""A toy project for the script tests: a copy of scripts/lib, a "kernel" of three files, no packages needed.

The modules take their paths when they are imported, so each step runs in a process of its own: `Toy.python`.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

REPO = pathlib.Path(__file__).resolve().parents[3]
BASE = {"Makefile": "obj-y += main.o\n",
        "kernel/main.c": "".join(f"int line_{n};\n" for n in range(1, 31)),
        "kernel/other.c": "int other;\n"}


class Toy:
    """One project folder, with build/linux as `prepare` would have made it of the base alone."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="toy.")
        self.root = pathlib.Path(self._folder.name)
        shutil.copytree(REPO / "scripts" / "lib", self.root / "scripts" / "lib",
                        ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPO / "scripts" / "kernel", self.root / "scripts" / "kernel")
        shutil.copytree(REPO / "kernel" / "configs", self.root / "kernel" / "configs")
        (self.root / "kernel" / "source").write_text("package = toy\nversion = 6.12.1-1\n")
        self.linux = self.root / "build" / "linux"
        self.overlay = self.root / "kernel" / "dovetail" / "overlay"
        self.patches = self.root / "kernel" / "dovetail" / "patches" / "6.12"
        for name, text in BASE.items():
            write(self.linux / name, text)
        self.git("init", "-q", "-b", "dovetail")
        self.git("config", "user.name", "An Engineer")
        self.git("config", "user.email", "engineer@example.org")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "base")
        self.git("tag", "base")
        self.done = self.python(
            "import tree; base = tree.repo().commit_id('HEAD'); "
            "tree._save_state(common.LINUX, head=base, base=base, version='6.12.1-1', pin='6.12.1-1', "
            "inputs=tree.inputs().fingerprint())")

    def close(self) -> None:
        self._folder.cleanup()

    def git(self, *arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=self.linux, check=True, capture_output=True, text=True).stdout.strip()

    def python(self, code: str) -> subprocess.CompletedProcess:
        """Runs code with the project's own copy of the modules; a Failure ends it as it ends a script."""
        program = (f"import sys; sys.path.insert(0, {str(self.root / 'scripts' / 'lib')!r}); import common\n"
                   f"def main():\n    {code}\nsys.exit(common.run_main(main))\n")
        return self._run([sys.executable, "-c", program])

    def kernel(self, *arguments: str, **env: str) -> subprocess.CompletedProcess:
        return self._run([str(self.root / "scripts" / "kernel"), *arguments], **env)

    def _run(self, argv: list[str], **env: str) -> subprocess.CompletedProcess:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("DOVETAIL_")}
        return subprocess.run(argv, capture_output=True, text=True, env={**clean, **env}, cwd=self.root)

    def commit(self, message: str, files: dict[str, str]) -> str:
        for name, text in files.items():
            write(self.linux / name, text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def snapshot(self) -> dict[str, str]:
        """Every file of overlay and series with its text."""
        top = self.root / "kernel" / "dovetail"
        return {path.relative_to(top).as_posix(): path.read_text() for path in sorted(top.rglob("*")) if path.is_file()}


def write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
