"""Git plumbing for the kernel tree. Called by source.py, tree.py and series.py.

The user's own git configuration (renames, prefixes, signing) must change nothing in what we write, so
it is not read here. An engineer's own commands in the tree use it as ever.
"""

from __future__ import annotations

import os
import pathlib
import subprocess

import common

# Who made the commits that are not an engineer's: the base and the overlay.
NOBODY = "Dovetail build"
NOBODY_MAIL = "dovetail@localhost"
EPOCH = "2026-01-01T00:00:00+0000"

# No optional locks: a look at the tree (`status`, which runs without the lock of the tree) would write the index on the side, and
# a check-out that somebody else does at that moment would fail with "index.lock: File exists".
_NEUTRAL = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


class Repo:
    """A repository, with its own index or another one."""

    def __init__(self, git_dir: pathlib.Path, work_tree: pathlib.Path | None = None,
                 index: pathlib.Path | None = None) -> None:
        self.git_dir = git_dir
        self._work_tree = work_tree
        self._index = index

    @property
    def env(self) -> dict[str, str]:
        env = {**_NEUTRAL, "GIT_DIR": str(self.git_dir)}
        if self._work_tree:
            env["GIT_WORK_TREE"] = str(self._work_tree)
        if self._index:
            env["GIT_INDEX_FILE"] = str(self._index)
        return env

    def with_index(self, name: str) -> Repo:
        """The same objects, another index (kept in the git folder), no work tree."""
        return Repo(self.git_dir, None, self.git_dir / name)

    def with_work_tree(self, folder: pathlib.Path, index: str) -> Repo:
        return Repo(self.git_dir, folder, self.git_dir / index)

    def run(self, *arguments: str | pathlib.Path, check: bool = True, input_text: str | None = None,
            env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return common.run(["git", *arguments], env={**self.env, **(env or {})}, check=check,
                          input_text=input_text, cwd=self._work_tree)

    def out(self, *arguments: str | pathlib.Path, **more) -> str:
        return self.run(*arguments, **more).stdout.strip()

    def ok(self, *arguments: str | pathlib.Path) -> bool:
        return self.run(*arguments, check=False).returncode == 0

    def commit_id(self, name: str) -> str | None:
        done = self.run("rev-parse", "-q", "--verify", f"{name}^{{commit}}", check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def tree_id(self, name: str) -> str:
        return self.out("rev-parse", f"{name}^{{tree}}")

    def commit_tree(self, tree: str, parent: str | None, message: str, *, name: str = NOBODY,
                    mail: str = NOBODY_MAIL, date: str = EPOCH) -> str:
        """A commit whose identity follows from its content: the same input gives the same hash."""
        env = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail, "GIT_AUTHOR_DATE": date,
               "GIT_COMMITTER_NAME": NOBODY, "GIT_COMMITTER_EMAIL": NOBODY_MAIL, "GIT_COMMITTER_DATE": date}
        parents = ["-p", parent] if parent else []
        return self.out("commit-tree", tree, *parents, "-F", "-", input_text=message, env=env)

    def files(self, name: str) -> dict[str, tuple[str, str]]:
        """Path -> (mode, blob) of a commit."""
        found: dict[str, tuple[str, str]] = {}
        for entry in self.run("ls-tree", "-r", "-z", name).stdout.split("\0"):
            if entry:
                meta, path = entry.split("\t", 1)
                mode, _, blob = meta.split()
                found[path] = (mode, blob)
        return found
