"""The kernel source package: which version is pinned, which one is there, and its way into git.

A source becomes one commit, tagged `base-<version>`, in the repository of the tree. It goes in through
`git fast-import`, straight from the tarball: the tag appears when all of it is there, so an
interrupted import leaves nothing that a later run could mistake for a source. One file is not taken as it is:
the top .gitignore, see _IGNORE_ALL.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import re
import subprocess
import tarfile

import common
import git

PIN_FILE = common.ROOT / "kernel" / "source"
_TARBALL = pathlib.Path("/usr/src/linux-source-6.12.tar.xz")
# Debian's .gitignore ends in "ignore everything at the top": git would not see a new file, nor say so.
_IGNORE_ALL = b"\n/*\n!/debian/\n"
_MEMBERS = 92_500  # Entries of the tarball, for the percentage only.


@dataclasses.dataclass(frozen=True)
class Pin:
    package: str
    version: str
    sha256: str


def pinned() -> Pin:
    values: dict[str, str] = {}
    for line in PIN_FILE.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            key, _, value = line.partition("=")
            values[key.strip()] = value.strip()
    try:
        return Pin(values["package"], values["version"], values.get("sha256", ""))
    except KeyError as key:
        raise common.Failure(f"{PIN_FILE}: no line `{key.args[0]} = ...`") from None


def tarball() -> pathlib.Path:
    return _TARBALL


def installed_version(pin: Pin) -> str | None:
    """The version of the source package that dpkg has; None when the tarball is not there."""
    done = common.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", pin.package], check=False)
    status, _, version = done.stdout.partition(" ")
    return version if status == "installed" and _TARBALL.exists() else None


def offered_versions(pin: Pin) -> list[str]:
    """What apt offers of the package, newest first, 6.12.y only."""
    done = common.run(["apt-cache", "madison", pin.package], check=False)
    versions = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.count("|") == 2]
    versions = [version for version in dict.fromkeys(versions) if version.startswith("6.12.")]
    return sorted(versions, key=_order, reverse=True)


def newest_offered(pin: Pin) -> str | None:
    return next(iter(offered_versions(pin)), None)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def imported() -> str | None:
    """The version that the tree was made from; None when there is no tree yet."""
    return common.read_json(common.LINUX / ".git" / "dovetail.json").get("version")


def tag(version: str) -> str:
    return "base-" + version.replace("~", "_")


def check_sum(path: pathlib.Path, pin: Pin) -> None:
    if not pin.sha256:
        return
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != pin.sha256:
        raise common.Failure(f"{path} is not the pinned source: SHA256 {found}, {PIN_FILE} says {pin.sha256}",
                             f"sudo apt-get install --reinstall {pin.package}={pin.version}")


def import_tarball(repo: git.Repo, path: pathlib.Path, version: str) -> str:
    """Makes the commit of one source tarball; returns its id. No-op when its tag is there."""
    name = tag(version)
    there = repo.commit_id(name)
    if there:
        return there
    common.need_disk(repo.git_dir, 700, "import the kernel source")
    # What an import that was stopped left behind.
    for leftover in (*repo.git_dir.glob("objects/pack/tmp_pack_*"), *repo.git_dir.glob("fast_import_crash_*")):
        leftover.unlink()
    importer = subprocess.Popen(
        ["git", "-c", "core.compression=1", "fast-import", "--quiet", "--done", "--depth=0"],
        env=common.merged_env(repo.env), stdin=subprocess.PIPE, start_new_session=True)
    try:
        assert importer.stdin is not None
        with common.Progress(f"kernel: import Linux {version}", _MEMBERS) as progress:
            _feed(importer.stdin, path, version, progress)
            importer.stdin.close()
            if importer.wait() != 0:
                raise common.Failure(f"git fast-import failed with status {importer.returncode}",
                                     "is the disk full? `./scripts/kernel clean` names what it frees")
    except BaseException:
        importer.kill()
        importer.wait()
        raise
    commit = repo.commit_id(f"refs/dovetail/import-{name}")
    assert commit is not None
    repo.run("tag", name, commit)
    repo.run("update-ref", "-d", f"refs/dovetail/import-{name}")
    return commit


def _feed(out, path: pathlib.Path, version: str, progress: common.Progress) -> None:
    """Writes the fast-import stream. xz runs beside us, on the other core."""
    who = f"{git.NOBODY} <{git.NOBODY_MAIL}> 1767225600 +0000"
    message = f"Linux source package {version}\n".encode()
    out.write(f"commit refs/dovetail/import-{tag(version)}\nauthor {who}\ncommitter {who}\n".encode())
    out.write(b"data %d\n%s" % (len(message), message))
    with subprocess.Popen(["xz", "-dc", str(path)], stdout=subprocess.PIPE) as unpacker:
        with tarfile.open(fileobj=unpacker.stdout, mode="r|") as archive:
            for member in archive:
                progress.step()
                _, _, name = member.name.removeprefix("./").partition("/")
                if member.isfile():
                    mode, data = (b"100755" if member.mode & 0o100 else b"100644"), archive.extractfile(member).read()
                    if name == ".gitignore":
                        data = data.replace(_IGNORE_ALL, b"")
                elif member.issym():
                    mode, data = b"120000", member.linkname.encode()
                else:
                    continue
                out.write(b"M %s inline %s\ndata %d\n%s\n" % (mode, name.encode(), len(data), data))
        if unpacker.wait() != 0:
            raise common.Failure(f"{path} is damaged: xz failed", "reinstall the source package")
    out.write(b"done\n")
