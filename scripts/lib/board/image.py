"""Writes the guest's initramfs. Called by run.py before each boot.

I1  The same input gives the same bytes: entries are sorted, and owners, times and inode numbers fixed.
I2  Every parent folder of an entry is in the archive, before it.
I3  No path of an entry goes through a symbolic link of the archive: /bin, /sbin, /lib and /lib64 are
    links into /usr as on Debian, and a path below them is stored below /usr.

It is not compressed: the guest would spend longer unpacking than QEMU spends copying.
"""

from __future__ import annotations

import os
import pathlib
import shlex
import stat
import subprocess
from dataclasses import dataclass

import common

from board import elf

GUEST = common.ROOT / "tests" / "boot" / "guest"
HOME = "/root"  # Where CMD runs, and where an added file without a GUESTPATH goes.
LIBRARIES = "/usr/lib/x86_64-linux-gnu"  # Always searched by Debian's loader, whatever the RUNPATH says.
_MTIME = 1767225600  # 2026-01-01, the date of the deterministic machine.
_MERGED = {"/bin": "/usr/bin", "/sbin": "/usr/sbin", "/lib": "/usr/lib", "/lib64": "/usr/lib64"}
_FOLDERS = ("/dev", "/proc", "/sys", "/run", "/tmp", "/root", "/etc", "/mnt", "/var", "/usr/bin", "/usr/sbin",
            "/usr/lib", "/usr/lib64", "/var/tmp", "/board")


@dataclass(frozen=True)
class Entry:
    mode: int
    data: bytes | pathlib.Path = b""  # A path is read when the archive is written.
    device: tuple[int, int] = (0, 0)


class ImageError(common.Failure):
    pass


class Image:
    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._own: set[str] = set()  # What --add and CMD put in, as opposed to the base.
        for folder in _FOLDERS:
            self._folder(folder)
        for link, target in _MERGED.items():
            self._entries[link] = Entry(stat.S_IFLNK | 0o777, target[1:].encode())
        # The kernel needs these before devtmpfs is mounted, or without it.
        for name, major, minor in (("console", 5, 1), ("null", 1, 3), ("ttyS0", 4, 64), ("ttyS1", 4, 65)):
            self._entries[f"/dev/{name}"] = Entry(stat.S_IFCHR | 0o600, device=(major, minor))

    def __contains__(self, path: str) -> bool:
        return self.canonical(path) in self._entries

    @staticmethod
    def canonical(path: str) -> str:
        path = os.path.normpath(path)
        for link, target in _MERGED.items():
            if path == link or path.startswith(link + "/"):
                return target + path[len(link):]
        return path

    def _folder(self, path: str) -> None:
        path = self.canonical(path)
        for parent in [*reversed(pathlib.PurePosixPath(path).parents), pathlib.PurePosixPath(path)]:
            if str(parent) == "/":
                continue
            there = self._entries.get(str(parent))
            if there is None:
                mode = 0o1777 if str(parent) in ("/tmp", "/var/tmp") else 0o755
                self._entries[str(parent)] = Entry(stat.S_IFDIR | mode)
            elif not stat.S_ISDIR(there.mode):
                raise ImageError(f"cannot add below {parent}: it is not a folder in the guest")

    def _put(self, path: str, entry: Entry) -> None:
        path = self.canonical(path)
        self._folder(os.path.dirname(path))
        self._entries[path] = entry

    def put_text(self, path: str, data: bytes, mode: int = 0o644) -> None:
        self._put(path, Entry(stat.S_IFREG | mode, data))

    def put_file(self, path: str, host: pathlib.Path) -> None:
        """One host file. Its mode is normalised: a clone made under another umask gives the same image."""
        mode = host.stat().st_mode
        bits = 0o755 if mode & 0o111 else 0o644
        self._put(path, Entry(stat.S_IFREG | bits | (mode & 0o7000), host))

    def put_link(self, path: str, target: str) -> None:
        self._put(path, Entry(stat.S_IFLNK | 0o777, target.encode()))

    # What the user adds.

    def add(self, host: pathlib.Path, guest: str) -> None:
        """A file or a folder with all below it, and the libraries that its programs need."""
        if host.is_dir():
            self._folder(guest)
            for found in sorted(host.rglob("*")):
                self._add_one(found, f"{guest}/{found.relative_to(host)}", host)
        else:
            self._add_one(host, guest, None)

    def _add_one(self, host: pathlib.Path, guest: str, top: pathlib.Path | None) -> None:
        if self.canonical(guest) in ("/init", "/board") or guest.startswith("/board/"):
            raise ImageError(f"the guest path {guest} is the board's own", status=common.EXIT_USAGE)
        if host.is_symlink() and top is not None:
            target = os.readlink(host)
            inside = not os.path.isabs(target) and host.resolve().is_relative_to(top.resolve())
            if inside or not host.exists():
                self.put_link(guest, target)
                return
            if host.is_dir():  # A folder outside: following it could add the whole host.
                common.say(f"board: not added: {host} (a link to a folder outside {top})")
                return
        if host.is_dir():
            self._folder(guest)
        elif host.is_file():
            there = self._entries.get(self.canonical(guest))
            if there and stat.S_ISDIR(there.mode):
                raise ImageError(f"cannot add {host} as {guest}: a folder in the guest",
                                 f"name the file too: --add {host}:{guest}/{host.name}", common.EXIT_USAGE)
            self.put_file(guest, host)
            self._own.add(self.canonical(guest))
            self._add_needs(host)
        else:
            common.say(f"board: not added: {host} (neither a file nor a folder)")

    def _add_needs(self, host: pathlib.Path) -> None:
        with host.open("rb") as handle:
            head = handle.read(128)
        if head.startswith(b"#!") and head.split(b"\n")[0].split()[-1].endswith(b"bash") and "/bin/bash" not in self:
            # Kernel selftests are bash scripts, and busybox has no bash.
            bash = pathlib.Path("/bin/bash")
            if bash.exists():
                self.put_file("/bin/bash", bash)
                self._add_needs(bash)
        if head[:4] != b"\x7fELF":
            return
        try:
            found = elf.libraries(host)
        except elf.MissingLibrary as missing:
            raise ImageError(str(missing), "build it, or name its folder in LD_LIBRARY_PATH") from None
        for name, library in found.items():
            path = self.canonical(name if name.startswith("/") else f"{LIBRARIES}/{name}")
            there = self._entries.get(path)
            if there and isinstance(there.data, pathlib.Path) and there.data.resolve() != library.resolve():
                if there.data.read_bytes() != library.read_bytes():
                    raise ImageError(f"two programs need different libraries named {name}: {there.data} and {library}",
                                     "run them on two boards")
            if path not in self._own:
                self.put_file(path, library)

    # The archive.

    def write(self, path: pathlib.Path) -> int:
        """Writes the archive; its size in bytes."""
        with path.open("wb") as out:
            for inode, name in enumerate(sorted(self._entries), start=1):
                entry = self._entries[name]
                data = entry.data.read_bytes() if isinstance(entry.data, pathlib.Path) else entry.data
                out.write(_header(inode, name[1:], entry.mode, len(data), entry.device))
                out.write(data + b"\0" * (-len(data) % 4))
            out.write(_header(0, "TRAILER!!!", 0, 0, (0, 0)))
            return out.tell()


def _header(inode: int, name: str, mode: int, size: int, device: tuple[int, int]) -> bytes:
    raw = os.fsencode(name) + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    mtime = _MTIME if inode else 0
    fields = (inode, mode, 0, 0, links, mtime, size, 0, 0, *device, len(raw), 0)
    head = b"070701" + b"".join(b"%08X" % value for value in fields) + raw
    return head + b"\0" * (-len(head) % 4)


def command_script(argv: list[str]) -> bytes:
    """A shell script that becomes `argv`, byte for byte: quotes, blanks and newlines included."""
    words = b" ".join(os.fsencode(shlex.quote(word)) for word in argv)
    return b"#!/bin/sh\nexec " + words + b"\n"


def build(path: pathlib.Path, *, argv: list[str], adds: list[tuple[pathlib.Path, str]], modules: pathlib.Path | None,
          settings: dict[str, str]) -> int:
    """The complete guest. `settings` are shell variables that /init reads."""
    busybox = pathlib.Path("/bin/busybox")
    if not busybox.exists() or (found := elf.read(busybox)) is None or found.interpreter:
        raise ImageError("no static busybox at /bin/busybox", "./scripts/setup installs it (package busybox-static)", 69)
    image = Image()
    image.put_file("/usr/bin/busybox", busybox)
    listed = subprocess.run([busybox, "--list-full"], capture_output=True, text=True, check=True)
    for applet in listed.stdout.split():
        name = "/" + applet
        if name not in image:
            image.put_link(name, "/usr/bin/busybox")
    for source, target in (("init", "/init"), ("passwd", "/etc/passwd"), ("group", "/etc/group")):
        image.put_file(target, GUEST / source)
    if modules is not None and modules.is_dir():
        for found_path in sorted(modules.rglob("*")):
            # "build" and "source" link back into the host's tree.
            if found_path.is_file() and not found_path.is_symlink():
                image.put_file(f"/lib/modules/{found_path.relative_to(modules)}", found_path)
    for host, guest in adds:
        image.add(host, guest)
    if argv:
        image.put_text("/board/cmd", command_script(argv), 0o755)
    image.put_text("/board/settings", "".join(f"{key}={shlex.quote(value)}\n"
                                              for key, value in sorted(settings.items())).encode())
    return image.write(path)
