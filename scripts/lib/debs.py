"""Debian packages of a built configuration, by the kernel's own bindeb-pkg. Called by `kernel build --deb`."""

from __future__ import annotations

import os
import pathlib
import shutil

import common
import kbuild
import packages
import tree


def build(config: str, jobs: int) -> None:
    packages.ensure("kernel", "deb")
    goal = kbuild.target(config)
    final = common.BUILD / "deb" / config
    stamp, key = final / ".key", kbuild._key(goal)
    if stamp.exists() and stamp.read_text() == key:
        common.say(f"kernel: packages are up to date: {final}")
        return
    common.need_disk(common.BUILD, 1500, f"package {config}")
    version = tree.state()["version"].partition("-")[0]
    with common.locked(common.KERNEL / f".{config}.lock", f"kernel: package {config}"), \
            common.locked(tree.LOCK, f"kernel: package {config}", shared=True):
        # bindeb-pkg writes beside the build folder. The package of the debug symbols is left out: vmlinux is at hand.
        kbuild.make(goal, ["bindeb-pkg"], jobs, f"kernel: package {config}", env={
            "KDEB_PKGVERSION": f"{version}-1", "KDEB_SOURCENAME": f"linux-dovetail-{config}", "DEBFULLNAME": "Dovetail build",
            "DEBEMAIL": "dovetail@localhost", "DEB_BUILD_PROFILES": f"pkg.linux-dovetail-{config}.nokerneldbg"})
        partial = common.BUILD / "deb" / f".{config}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        release = (goal.out / "include/config/kernel.release").read_text().strip()
        made = [path for path in common.KERNEL.glob("*.deb") if release in path.name or "libc-dev" in path.name]
        if not any(path.name.startswith(f"linux-image-{release}") for path in made):
            raise common.Failure(f"bindeb-pkg made no linux-image-{release} (log: {goal.out / 'make.log'})")
        for path in made:
            os.replace(path, partial / path.name)
        for leftover in (*common.KERNEL.glob("*.buildinfo"), *common.KERNEL.glob("*.changes")):
            leftover.unlink()
        (partial / ".key").write_text(key)
        shutil.rmtree(final, ignore_errors=True)
        os.replace(partial, final)
    for path in sorted(pathlib.Path(final).glob("*.deb")):
        common.say(f"kernel: {path} ({path.stat().st_size >> 20} MB)")
