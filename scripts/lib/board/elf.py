"""Finds the shared libraries of a program by reading its ELF headers. Nothing is executed, unlike with ldd."""

from __future__ import annotations

import functools
import os
import pathlib
import struct
import subprocess
from dataclasses import dataclass, field

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_RPATH, _DT_RUNPATH = 1, 5, 15, 29
_ET_EXEC, _ET_DYN = 2, 3
_DEFAULT_DIRS = ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib")


class MissingLibrary(Exception):
    def __init__(self, needed_by: pathlib.Path, name: str) -> None:
        super().__init__(f"{needed_by} needs the shared library {name}, which is not on this host")


@dataclass
class Elf:
    interpreter: str = ""
    needed: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)  # RPATH or RUNPATH, $ORIGIN resolved.


def read(path: pathlib.Path) -> Elf | None:
    """What `path` says about its libraries; None when it is no x86-64 program or library."""
    with path.open("rb") as handle:
        head = handle.read(64)
        if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":
            return None
        kind, machine = struct.unpack_from("<HH", head, 16)
        if machine != 62 or kind not in (_ET_EXEC, _ET_DYN):
            return None
        phoff, = struct.unpack_from("<Q", head, 32)
        phentsize, phnum = struct.unpack_from("<HH", head, 54)
        handle.seek(phoff)
        table = handle.read(phentsize * phnum)
        loads: list[tuple[int, int, int]] = []
        dynamic = b""
        elf = Elf()
        for index in range(phnum):
            ptype, _, offset, vaddr, _, filesz = struct.unpack_from("<IIQQQQ", table, index * phentsize)
            if ptype == _PT_LOAD:
                loads.append((vaddr, offset, filesz))
            elif ptype == _PT_DYNAMIC:
                handle.seek(offset)
                dynamic = handle.read(filesz)
            elif ptype == _PT_INTERP:
                handle.seek(offset)
                elf.interpreter = handle.read(filesz).rstrip(b"\0").decode()
        entries = list(struct.iter_unpack("<qQ", dynamic[:len(dynamic) // 16 * 16]))
        strtab = next((value for tag, value in entries if tag == _DT_STRTAB), None)
        if strtab is None:
            return elf

        def text(at: int) -> str:
            for vaddr, offset, size in loads:
                if vaddr <= strtab + at < vaddr + size:
                    handle.seek(offset + strtab + at - vaddr)
                    return handle.read(4096).split(b"\0", 1)[0].decode()
            return ""

        for tag, value in entries:
            if tag == 0:
                break
            if tag == _DT_NEEDED:
                elf.needed.append(text(value))
            elif tag in (_DT_RPATH, _DT_RUNPATH):
                origin = str(path.resolve().parent)
                elf.search += [part.replace("$ORIGIN", origin).replace("${ORIGIN}", origin)
                               for part in text(value).split(":") if part]
        return elf


@functools.cache
def _ld_cache() -> dict[str, str]:
    """What the host's own loader would find."""
    for program in ("/sbin/ldconfig", "/usr/sbin/ldconfig"):
        if os.access(program, os.X_OK):
            found: dict[str, str] = {}
            for line in subprocess.run([program, "-p"], capture_output=True, text=True, check=False).stdout.splitlines():
                name, arrow, path = line.strip().partition(" => ")
                if arrow and "x86-64" in name:
                    found.setdefault(name.split()[0], path)
            return found
    return {}


def _find(name: str, search: list[str]) -> pathlib.Path | None:
    if "/" in name:
        return pathlib.Path(name) if os.path.exists(name) else None
    folders = [*search, *os.environ.get("LD_LIBRARY_PATH", "").split(":")]
    for folder in filter(None, folders):
        if os.path.exists(os.path.join(folder, name)):
            return pathlib.Path(folder, name)
    if name in _ld_cache():
        return pathlib.Path(_ld_cache()[name])
    for folder in _DEFAULT_DIRS:
        if os.path.exists(os.path.join(folder, name)):
            return pathlib.Path(folder, name)
    return None


def libraries(program: pathlib.Path) -> dict[str, pathlib.Path]:
    """Name -> host file of every library `program` loads at start, and of those these load.

    The loader is in it under its full path, because that is what the kernel looks for.
    """
    found: dict[str, pathlib.Path] = {}
    seen: set[str] = set()

    def collect(path: pathlib.Path, inherited: list[str]) -> None:
        elf = read(path)
        if elf is None:
            return
        if elf.interpreter:
            interpreter = pathlib.Path(elf.interpreter)
            if not interpreter.exists():
                raise MissingLibrary(path, elf.interpreter)
            found[elf.interpreter] = interpreter
        for name in elf.needed:
            if name in seen or any(os.path.basename(there) == name for there in found if "/" in there):
                continue  # The second: libc names the loader, which is there by its path.
            seen.add(name)
            library = _find(name, elf.search + inherited)
            if library is None:
                raise MissingLibrary(path, name)
            found[name] = library
            collect(library, elf.search + inherited)

    collect(program, [])
    return found
