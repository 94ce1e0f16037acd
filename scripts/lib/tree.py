"""The kernel tree: base, overlay, cores and series as commits, and the work tree that shows them.

build/linux is a git repository. Its history is one commit for the source (`base`), one for the overlay, one for
the cores if there are any, then one per patch. Each commit follows from the content of what it is made of, so the
same inputs give the same hashes, and a changed patch makes new commits from there on only. They are made in
an index of their own; the work tree then moves from the old head to the new one, and git rewrites the files
that differ and no others. That is what lets make rebuild only what depends on a change.

What an engineer did in the tree is never overwritten: see `own_work`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

import common
import git
import packages
import series
import source

BRANCH = "dovetail"
LOCK = common.BUILD / ".tree.lock"
_PARTIAL = common.BUILD / ".linux.partial"
_STATE = "dovetail.json"


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What the tree is made of, beside the source: relative path -> file, and the patches in order."""
    overlay: dict[str, pathlib.Path]
    cores: dict[str, pathlib.Path]
    patches: list[pathlib.Path]

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for path, file in [*sorted(self.overlay.items()), *sorted(self.cores.items()),
                           *((patch.name, patch) for patch in self.patches)]:
            digest.update(f"{path}\0{_mode(file)}\0".encode())
            digest.update(hashlib.sha256(_content(file)).digest())
        return digest.hexdigest()

    def without_cores(self) -> str:
        """The fingerprint of overlay and series alone, which a core's progress does not change."""
        return Inputs(self.overlay, {}, self.patches).fingerprint()


def inputs() -> Inputs:
    cores = {path: file for prefix, folder in common.CORES.items() for path, file in _files_below(folder, prefix).items()}
    return Inputs(_files_below(common.OVERLAY, ""), cores, series.read())


def repo() -> git.Repo:
    return git.Repo(common.LINUX / ".git", common.LINUX)


def state() -> dict:
    return common.read_json(common.LINUX / ".git" / _STATE)


def _save_state(folder: pathlib.Path, **values) -> None:
    common.write_atomically(folder / ".git" / _STATE, json.dumps(values, indent=1))


# The commits ------------------------------------------------------------------------------------

def make_commits(here: git.Repo, base: str, wanted: Inputs, title: str) -> str:
    """Makes (or finds again) the commits of overlay, cores and series on `base`; returns the head."""
    memo_file = here.git_dir / "dovetail-commits.json"
    memo = common.read_json(memo_file)
    index = here.with_index(f"dovetail-index-{os.getpid()}")
    head, loaded = base, None
    try:
        for files, message in ((wanted.overlay, "dovetail: overlay\n\nThe new files of kernel/dovetail/overlay/.\n"),
                               (wanted.cores, "cores: all\n\nThe files of kernel/evl/ and kernel/toycore/.\n")):
            if files:
                head = loaded = _commit_files(index, head, files, message)
        with common.Progress(title, len(wanted.patches)) if wanted.patches else _silent() as progress:
            for patch in wanted.patches:
                key = f"{head}:{hashlib.sha256(patch.read_bytes()).hexdigest()}"
                known = memo.get(key)
                if known and here.commit_id(known):
                    head = known
                else:
                    if loaded != head:
                        index.run("read-tree", head)
                    head = loaded = memo[key] = series.commit(index, head, patch)
                progress.step(note=patch.name)
    finally:
        for leftover in here.git_dir.glob(f"dovetail-index-{os.getpid()}*"):
            leftover.unlink()
        common.write_atomically(memo_file, json.dumps(memo, indent=1))
    return head


class _silent:
    """A progress line for nothing to do."""

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def step(self, note: str = "") -> None:
        pass


def _commit_files(index: git.Repo, parent: str, files: dict[str, pathlib.Path], message: str) -> str:
    index.run("read-tree", parent)
    lines = []
    listed = sorted(files)
    taken = set(index.out("ls-files", "--", *listed).splitlines())
    if taken:
        raise common.Failure(f"{files[sorted(taken)[0]]}: the Linux tree has a file of that name",
                             "an edit to an existing file belongs in a patch: edit it in build/linux, commit, refresh")
    regular = [path for path in listed if not files[path].is_symlink()]
    blobs = index.out("hash-object", "-w", "--no-filters", "--stdin-paths",
                      input_text="".join(f"{files[path]}\n" for path in regular)).split()
    ids = dict(zip(regular, blobs, strict=True))
    for path in listed:
        blob = ids.get(path) or index.out("hash-object", "-w", "--stdin", input_text=os.readlink(files[path]))
        lines.append(f"{_mode(files[path])} {blob}\t{path}\n")
    index.run("update-index", "--add", "--index-info", input_text="".join(lines))
    return index.commit_tree(index.out("write-tree"), parent, message)


# The work tree ----------------------------------------------------------------------------------

def prepare() -> None:
    """Brings build/linux to what base, overlay, core and series say. Refuses to overwrite own work."""
    if is_current():
        return
    with common.locked(LOCK, "kernel: prepare"):
        if not (common.LINUX / ".git").exists():
            _create()
            return
        _recover()
        before, wanted = state(), inputs()
        work = own_work()
        if work:
            raise common.Failure(
                "build/linux holds work that is in neither overlay nor series:\n" + work,
                "commit it there and run `./scripts/kernel refresh`, which writes overlay and series back; or discard it "
                f"(git -C {common.LINUX} reset --hard {before.get('head', 'base')[:12]}; git -C {common.LINUX} clean -fd)")
        pin = source.pinned()
        base, version = before["base"], before["version"]
        if before.get("pin") != pin.version:
            version = _source_version(pin)
            base = source.import_tarball(repo(), source.tarball(), version)
        head = make_commits(repo(), base, wanted, "kernel: apply the series")
        move(head, base=base, version=version, pin=pin.version, **fingerprints(wanted))


def fingerprints(of: Inputs) -> dict[str, str]:
    """What the state remembers of the inputs."""
    return {"inputs": of.fingerprint(), "kernel_inputs": of.without_cores()}


def is_current() -> bool:
    """Whether there is nothing to prepare: same pin, same inputs, and the tree as prepare left it."""
    now = state()
    return (bool(now) and "moving_to" not in now and now.get("pin") == source.pinned().version
            and now.get("inputs") == inputs().fingerprint() and not own_work())


def own_work() -> str:
    """What an engineer did in build/linux since the last prepare or refresh, in words; empty if nothing."""
    now = state()
    lines = []
    head = repo().commit_id("HEAD")
    if head != now.get("head"):
        commits = repo().out("log", "--oneline", f"{now.get('head')}..HEAD").splitlines()
        lines += [f"  commit {text}" for text in commits[:10]] or ["  its head was moved"]
        if len(commits) > 10:
            lines.append(f"  ... {len(commits) - 10} commits more")
    changed = repo().run("status", "--porcelain").stdout.splitlines()
    lines += [f"  not committed: {text}" for text in changed[:10]]
    if len(changed) > 10:
        lines.append(f"  ... {len(changed) - 10} files more")
    return "\n".join(lines)


def dirty() -> bool:
    return bool(repo().out("status", "--porcelain"))


def move(head: str, **values) -> None:
    """Moves the work tree to `head`. The state says so before and after, for a run that is stopped."""
    now = state()
    _save_state(common.LINUX, **{**now, "moving_to": head})
    repo().run("checkout", "-q", "-B", BRANCH, head)
    repo().run("tag", "-f", "base", values["base"])
    _save_state(common.LINUX, head=head, **values)


def _recover() -> None:
    """Ends a move that was stopped half way. What differs from the old head is kept under a ref first."""
    now = state()
    if "moving_to" not in now:
        return
    lock = common.LINUX / ".git" / "index.lock"
    if lock.exists():
        lock.unlink()
    kept = repo().out("stash", "create", check=False, env={
        "GIT_AUTHOR_NAME": git.NOBODY, "GIT_AUTHOR_EMAIL": git.NOBODY_MAIL,
        "GIT_COMMITTER_NAME": git.NOBODY, "GIT_COMMITTER_EMAIL": git.NOBODY_MAIL})
    if kept:
        repo().run("update-ref", "refs/dovetail/rescued", kept)
        common.say("kernel: a stopped prepare is taken up again (the tree as it was: git show refs/dovetail/rescued)")
    repo().run("reset", "-q", "--hard", now.get("head") or now["moving_to"])
    now.pop("moving_to")
    _save_state(common.LINUX, **now)


def _create() -> None:
    """The first time: import, commits and check-out in a folder of another name, renamed when finished."""
    pin = source.pinned()
    version = _source_version(pin)
    common.need_disk(common.BUILD, 4000, "unpack the kernel source")
    here = git.Repo(_PARTIAL / ".git", _PARTIAL)
    if not (_PARTIAL / ".git" / "config").exists():
        shutil.rmtree(_PARTIAL, ignore_errors=True)
        _PARTIAL.mkdir(parents=True)
        here.run("init", "-q", "-b", BRANCH)
        for key, value in (("gc.auto", "0"), ("core.untrackedCache", "true"), ("index.version", "4"),
                           ("advice.detachedHead", "false")):
            here.run("config", key, value)
    base = source.import_tarball(here, source.tarball(), version)
    wanted = inputs()
    head = make_commits(here, base, wanted, "kernel: apply the series")
    with common.Progress("kernel: check out build/linux"):
        (_PARTIAL / ".git" / "index.lock").unlink(missing_ok=True)
        here.run("reset", "-q", "--hard", head)
    here.run("tag", "-f", "base", base)
    _save_state(_PARTIAL, head=head, base=base, version=version, pin=pin.version, **fingerprints(wanted))
    os.replace(_PARTIAL, common.LINUX)


def _source_version(pin: source.Pin) -> str:
    packages.ensure("kernel")
    packages.ensure_source()
    version = source.installed_version(pin)
    if version is None:
        raise common.Failure(f"{source.tarball()} is not there", "./scripts/setup installs it")
    if version == pin.version:
        source.check_sum(source.tarball(), pin)
    else:
        common.say(f"kernel: {pin.package} {pin.version} (kernel/source) is gone from apt: using {version}")
    return version


def prepare_vanilla() -> None:
    """The unpatched source, in a folder of its own that nobody edits."""
    if not (common.LINUX / ".git").exists():
        prepare()
    stamp = common.LINUX_VANILLA / ".dovetail-base"
    base = state()["base"]
    if stamp.exists() and stamp.read_text().strip() == base:
        return
    with common.locked(LOCK, "kernel: prepare"):
        common.need_disk(common.BUILD, 2000, "unpack the unpatched kernel source")
        partial = common.BUILD / ".linux-vanilla.partial"
        with common.Progress("kernel: check out build/linux-vanilla"):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            # -m: files are as new as this check-out, or make would take objects of another version for current.
            with subprocess.Popen(["git", "archive", base], env=common.merged_env(repo().env),
                                  stdout=subprocess.PIPE) as archive:
                unpacked = subprocess.run(["tar", "-xmf", "-", "-C", str(partial)], stdin=archive.stdout, check=False)
            if archive.returncode or unpacked.returncode:
                raise common.Failure(f"cannot write {partial}", "is the disk full?")
            (partial / ".dovetail-base").write_text(base + "\n")
            shutil.rmtree(common.LINUX_VANILLA, ignore_errors=True)
            os.replace(partial, common.LINUX_VANILLA)


# Files ------------------------------------------------------------------------------------------

def _files_below(folder: pathlib.Path, prefix: str) -> dict[str, pathlib.Path]:
    if not folder.is_dir():
        return {}
    return {prefix + path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))
            if path.is_symlink() or path.is_file()}


def _mode(file: pathlib.Path) -> str:
    if file.is_symlink():
        return "120000"
    return "100755" if file.stat().st_mode & stat.S_IXUSR else "100644"


def _content(file: pathlib.Path) -> bytes:
    return os.readlink(file).encode() if file.is_symlink() else file.read_bytes()


def scratch() -> tempfile.TemporaryDirectory:
    common.BUILD.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=".scratch.", dir=common.BUILD)
