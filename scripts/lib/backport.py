"""Tries the series on the previous 6.12.y that apt offers. Called by `scripts/kernel applies`.

The package is downloaded, never installed, and its source becomes a commit beside the base. The commits are made in
an index of their own: the work tree is not touched.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess

import common
import packages
import source
import tree

_FOLDER = common.BUILD / "download"


def run(as_json: bool) -> None:
    tree.prepare()
    now = tree.state()
    pin = source.pinned()
    version = previous(now["version"], source.offered_versions(pin))
    if version is None:
        raise common.Failure(f"apt offers no 6.12.y that is older than {now['version']}", status=common.EXIT_UNSUPPORTED)
    repo = tree.repo()
    base = repo.commit_id(source.tag(version))
    if not base:
        base = source.import_tarball(repo, _tarball(pin, version), version)
    wanted = tree.inputs()
    try:
        tree.make_commits(repo, base, wanted, f"kernel: apply the series to {version}")
    except common.Failure as failure:
        raise common.Failure(f"on {version}: {failure.what}", failure.hint) from None
    if as_json:
        print(json.dumps({"version": version, "patches": len(wanted.patches), "applies": True}))
    common.say(f"kernel: overlay and {len(wanted.patches)} patches apply to {version}")


def previous(current: str, offered: list[str]) -> str | None:
    """The newest offered version that is older than the current one."""
    return next((version for version in offered if source._order(version) < source._order(current)), None)


def _tarball(pin: source.Pin, version: str) -> pathlib.Path:
    final = _FOLDER / f"linux-source-{version.replace('~', '_')}.tar.xz"
    if final.exists():
        return final
    common.need_disk(common.BUILD, 1200, f"fetch {pin.package} {version}")
    partial = _FOLDER / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    if os.geteuid() == 0:
        # apt drops to its own user for a download, which must be able to write there.
        shutil.chown(partial, "_apt")
    with common.Progress(f"kernel: fetch {pin.package} {version}") as progress:
        log = _FOLDER / "apt.log"
        status = common.run_logged(["apt-get", "-q", "download", f"{pin.package}={version}"], log, progress, cwd=partial)
        found = list(partial.glob("*.deb"))
        if status != 0 or not found:
            raise common.Failure(f"cannot download {pin.package} {version} (log: {log})", "is the package archive reachable?")
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(found[0])], stdout=subprocess.PIPE) as unpacker:
            done = subprocess.run(["tar", "-xf", "-", "-C", str(partial), "./usr/src/linux-source-6.12.tar.xz"],
                                  stdin=unpacker.stdout, check=False)
        if done.returncode != 0:
            raise common.Failure(f"{found[0]} holds no kernel source")
    os.replace(partial / "usr/src/linux-source-6.12.tar.xz", final)
    shutil.rmtree(partial)
    return final
