"""Kconfig fragments: which ones a configuration is made of, their merge, and the proof that they took.

A configuration is a file kernel/configs/NAME.config. A comment line `# uses: base lean` in it names the
configurations whose fragments come before its own, in that order, each with what it uses itself.
Fragments set symbols; the later one wins. Everything else is as `make allnoconfig` leaves it. After
the merge each requested line must be found in the result: Kconfig drops what it cannot satisfy
without a word, and a kernel that lacks what was asked for is found out weeks later.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re

import common

_SET = re.compile(r"^(CONFIG_\w+)=(.+)$")
_UNSET = re.compile(r"^# (CONFIG_\w+) is not set$")
_USES = re.compile(r"^# uses: *(.*)$")


@dataclasses.dataclass(frozen=True)
class Request:
    """One requested line: `value` is None for "is not set"."""
    symbol: str
    value: str | None
    where: str


def check_name(name: str, configs: pathlib.Path = common.CONFIGS) -> None:
    known = common.config_names(configs)
    if name not in known:
        raise common.Failure(f"unknown configuration: {name}", f"known: {', '.join(known)}", common.EXIT_USAGE)


def fragments(name: str, configs: pathlib.Path = common.CONFIGS) -> list[pathlib.Path]:
    """The fragment files of a configuration, in the order of their merge."""
    found: list[pathlib.Path] = []
    _collect(name, configs, found, ())
    return found


def _collect(name: str, configs: pathlib.Path, found: list[pathlib.Path], above: tuple[str, ...]) -> None:
    path = configs / f"{name}.config"
    if name in above:
        raise common.Failure(f"{path} uses itself, by way of {' -> '.join(above)}")
    if path in found:
        return
    if not path.exists():
        raise common.Failure(f"{configs / above[-1]}.config uses {name}, but there is no {path}")
    for line in path.read_text().splitlines():
        uses = _USES.match(line)
        if uses:
            for used in uses[1].split():
                _collect(used, configs, found, (*above, name))
    found.append(path)


def requests(paths: list[pathlib.Path]) -> dict[str, Request]:
    """The merged requests of the fragments: symbol -> request, the last one wins."""
    merged: dict[str, Request] = {}
    for path in paths:
        own: dict[str, Request] = {}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            where = f"{path.name}:{number}"
            is_set, is_unset = _SET.match(line), _UNSET.match(line)
            if is_set:
                value = None if is_set[2] == "n" else is_set[2]
                request = Request(is_set[1], value, where)
            elif is_unset:
                request = Request(is_unset[1], None, where)
            elif line.strip() and not line.startswith("#"):
                raise common.Failure(f"{path}:{number}: not a Kconfig line: {line}")
            else:
                continue
            if request.symbol in own:
                raise common.Failure(f"{path}:{number}: {request.symbol} was already set in {own[request.symbol].where}")
            own[request.symbol] = request
        merged.update(own)
    return merged


def merged_text(merged: dict[str, Request]) -> str:
    """What KCONFIG_ALLCONFIG reads."""
    return "".join(line(request.symbol, request.value) + "\n" for request in merged.values())


def line(symbol: str, value: str | None) -> str:
    return f"# {symbol} is not set" if value is None else f"{symbol}={value}"


def read_config(path: pathlib.Path) -> dict[str, str | None]:
    """Symbol -> value of a .config; None where it says "is not set"."""
    found: dict[str, str | None] = {}
    for text in path.read_text().splitlines():
        is_set, is_unset = _SET.match(text), _UNSET.match(text)
        if is_set:
            found[is_set[1]] = is_set[2]
        elif is_unset:
            found[is_unset[1]] = None
    return found


def defined_symbols(tree: pathlib.Path) -> set[str]:
    """The symbols that the Kconfig files of a tree define (for x86: other architectures count too)."""
    pattern = re.compile(r"^\s*(?:menu)?config (\w+)", re.MULTILINE)
    done = common.run(["find", tree, "-name", "Kconfig*", "-type", "f"])
    found: set[str] = set()
    for name in done.stdout.split():
        found.update("CONFIG_" + symbol for symbol in pattern.findall(pathlib.Path(name).read_text(errors="replace")))
    return found


def verify(merged: dict[str, Request], got: dict[str, str | None], tree: pathlib.Path | None = None) -> None:
    """Fails with every request that did not take: symbol, wanted, got, and where it was requested."""
    problems = []
    unknown_off = [request for request in merged.values() if request.value is None and request.symbol not in got]
    # A symbol that is off by its dependencies is not named in .config; a misspelt one is not either.
    defined = defined_symbols(tree) if unknown_off and tree else None
    for request in merged.values():
        if request.symbol in got and got[request.symbol] == request.value:
            continue
        if request.symbol not in got and request.value is None:
            if defined is None or request.symbol in defined:
                continue
        if request.symbol not in got:
            state = "nothing (a dependency is missing, or no such symbol)"
        else:
            state = f"`{line(request.symbol, got[request.symbol])}`"
        problems.append(f"  {request.where}: wanted `{line(request.symbol, request.value)}`, got {state}")
    if problems:
        raise common.Failure("requested symbols did not take:\n" + "\n".join(problems),
                             "look up `depends on` of the symbol in the tree, and request what it needs too")
