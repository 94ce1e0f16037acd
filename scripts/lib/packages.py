"""The Debian packages the project needs, and how they get there. Called by scripts/setup and, through
`ensure`, by every script before it uses them. With nothing missing no network is touched and one
dpkg-query is all it costs.
"""

from __future__ import annotations

import os
import re
import shutil

import common
import source

# Group -> packages. A script asks for the groups it uses.
GROUPS: dict[str, list[str]] = {
    "kernel": ["bc", "bison", "build-essential", "ccache", "cpio", "dpkg-dev", "flex", "git", "kmod", "libelf-dev",
               "libssl-dev", "rsync", "xz-utils"],
    "deb": ["debhelper", "fakeroot", "libdw-dev"],
    "board": ["acpica-tools", "busybox-static", "cpio", "gdb", "qemu-system-x86"],
    "host": ["build-essential", "clang", "libclang-rt-14-dev", "libgtest-dev", "lowdown", "meson", "ninja-build", "pkg-config"],
    "tests": ["gdbserver", "kexec-tools", "libcap-dev", "libnuma-dev", "rt-tests", "stress-ng"],
    "checkpatch": ["perl"],
}
# What demo and check need; `deb` is asked for by `kernel build --deb` alone.
DEFAULT_GROUPS = [group for group in GROUPS if group != "deb"]


def wanted(groups: list[str]) -> list[str]:
    return sorted({package for group in groups for package in GROUPS[group]})


def missing(packages: list[str]) -> list[str]:
    """Those of `packages` that dpkg does not have installed."""
    # For tests: a package that is said to be missing.
    pretended = os.environ.get("DOVETAIL_MISSING_PACKAGE", "").split()
    done = common.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Provides}\n", *packages],
                      check=False)
    there: set[str] = set()
    for line in done.stdout.splitlines():
        status, *names = re.split(r"[ ,]+", line)
        if status == "installed":
            there.update(names)
    return [package for package in packages if package not in there or package in pretended]


def ensure(*groups: str) -> None:
    """Installs what is missing of `groups`; quick and silent when nothing is."""
    lacking = missing(wanted(list(groups)))
    if lacking:
        install(lacking)


def ensure_source() -> None:
    """Installs the pinned kernel source package, or the newest 6.12.y when the archive dropped it."""
    pin = source.pinned()
    if source.installed_version(pin) == pin.version:
        return
    if source.installed_version(pin) and source.tarball().exists() and not _can_install():
        common.say(f"setup: {pin.package} {pin.version} is not installed and cannot be; using what is there")
        return
    try:
        _apt_update()
        if pin.version in source.offered_versions(pin):
            _apt_install([f"{pin.package}={pin.version}"], f"{pin.package} {pin.version}")
            return
        newest = source.newest_offered(pin)
        if newest == source.installed_version(pin):
            return
        if newest:
            _apt_install([f"{pin.package}={newest}"], f"{pin.package} {newest}")
            return
        problem = f"no version of {pin.package} is offered by apt"
    except common.Failure as failure:
        problem = failure.what
    if not source.installed_version(pin):
        raise common.Failure(f"cannot install {pin.package} {pin.version}: {problem}",
                             "look at /etc/apt/sources.list: bookworm and bookworm-security are needed")
    common.say(f"setup: {pin.package} {pin.version} cannot be had; using what is installed")


def install(packages: list[str]) -> None:
    _apt_update()
    _apt_install(packages, ", ".join(packages))


def _can_install() -> bool:
    return os.geteuid() == 0 or shutil.which("sudo") is not None


def _as_root() -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"]
    raise common.Failure("packages are missing, and this is neither root nor is there sudo",
                         "as root: ./scripts/setup")


def _apt(arguments: list[str], title: str, log_name: str) -> None:
    if not shutil.which("apt-get"):
        raise common.Failure("apt-get not found: this set-up is for Debian 12")
    log = common.BUILD / "log" / log_name
    argv = [*_as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-q",
            "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Use-Pty=0", *arguments]
    with common.Progress(title) as progress:
        status = common.run_logged(argv, log, progress)
        if status != 0:
            tail = [line for line in log.read_text().splitlines() if line.startswith(("E:", "W:"))][-6:]
            raise common.Failure(f"apt-get {arguments[0]} failed (log: {log})\n" + "\n".join(tail),
                                 "is the package archive reachable? `apt-get update` shows; then run this again")


def _apt_update() -> None:
    _apt(["update"], "setup: refresh the package lists", "apt-update.log")


def _apt_install(packages: list[str], what: str) -> None:
    common.need_disk(common.pathlib.Path("/var/cache/apt"), 1500, f"install {what}")
    _apt(["install", "--no-install-recommends", *packages], f"setup: install {what}", "apt-install.log")
