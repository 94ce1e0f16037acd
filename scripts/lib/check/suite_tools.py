"""The tools on the board: evl, evl check, evl ps, evl help, evl version, latmus, hectic, with good and bad input, and the udev rule.

On the deterministic machine, so that a busy host does not matter. One boot runs all cases of a list, one after the other; a second
one has the core disabled. Each case says which status, which output and which messages are wanted.
"""

from __future__ import annotations

import fnmatch
import json
import pathlib
import re
import tempfile
import xml.etree.ElementTree
from dataclasses import dataclass

import common

from check import programs, tools_cases
from check.context import Context
from check.tools_cases import Case

GUEST = common.ROOT / "tests" / "target" / "tools"
RULES = common.ROOT / "utils" / "udev" / "60-evl.rules"
PLUGINS = ("evl-check", "evl-help", "evl-ps", "evl-version")
_BOOT_S = 280


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


def run(context: Context) -> None:
    context.only_on("lean")
    built = programs.meson(context, *(f"utils/{name}" for name in ("evl", *PLUGINS, "latmus", "hectic")))
    utils = built / "utils"
    add = [(utils / name, f"/usr/bin/{name}") for name in ("evl", "latmus", "hectic")]
    add += [(utils / name, f"/usr/libexec/evl/{name}") for name in PLUGINS]
    add += [(common.ROOT / "utils" / "evl-check" / "kconf-checklist.evl", "/usr/libexec/evl/kconf-checklist.evl"),
            (GUEST / "cases.sh", "/root/cases.sh")]
    with tempfile.TemporaryDirectory(prefix="tools-") as folder:
        found = context.parallel([lambda: _boot(context, pathlib.Path(folder), add, "running", tools_cases.RUNNING, ""),
                                  lambda: _boot(context, pathlib.Path(folder), add, "disabled", tools_cases.DISABLED, "evl.state=disabled")])
    _details(context, found[0])
    context.fact(f"{len(tools_cases.RUNNING) + len(tools_cases.DISABLED)} cases")


def _boot(context: Context, folder: pathlib.Path, add: list, name: str, cases: tuple[Case, ...], append: str) -> dict[str, Result]:
    """One boot; what each of its cases did, judged."""
    listed = folder / name
    listed.write_text("".join(f"{case.name}\t{case.command}\n" for case in cases))
    done = context.board(["sh", "/root/cases.sh", "/root/cases"], config="lean", smp=1, icount=True, timeout_s=_BOOT_S, append=append,
                         add=[*add, (listed, "/root/cases")], title=f"tools, core {name}")
    context.ran_well(done, f"tools, core {name}")
    found = results(done.out)
    for case in cases:
        result = found.get(case.name)
        if not context.expect(result is not None, f"{case.name}: did not run"):
            continue
        said = (result.err.strip() or result.out.strip()).splitlines()
        context.expect(result.status == case.status, f"{case.name}: `{case.command}` ended with {result.status}, not {case.status}"
                                                     f"{': ' + said[-1] if said else ''}")
        for pattern in case.out:
            context.expect(re.search(pattern, result.out, re.MULTILINE) is not None, f"{case.name}: no `{pattern}` in its output")
        for pattern in case.err:
            context.expect(re.search(pattern, result.err, re.MULTILINE) is not None, f"{case.name}: no `{pattern}` in its messages")
    return found


def results(output: str) -> dict[str, Result]:
    """What cases.sh printed, by the name of the case."""
    found = {}
    for part in re.split(r"^@case ", output, flags=re.MULTILINE)[1:]:
        head, _, rest = part.partition("\n@out\n")
        out, _, err = rest.partition("@err\n")
        name, status = head.split()
        found[name] = Result(int(status), out, err.removesuffix("@end\n"))
    return found


def _details(context: Context, found: dict[str, Result]) -> None:
    """What a regular expression cannot say."""
    _versions(context, found)
    _sorted(context, found)
    _reports(context, found)
    _rules(context, found)


def _versions(context: Context, found: dict[str, Result]) -> None:
    levels = re.findall(r"\d+", found["kernel-abi"].out)
    context.expect(bool(levels) and levels[0] in found["version"].out, f"evl version does not name the kernel's ABI level {levels}")


def _sorted(context: Context, found: dict[str, Result]) -> None:
    """Each sort key orders its own column, largest first, and r turns it around."""
    keys = {"i": "inband_switches", "x": "context_switches", "w": "remote_wakeups", "c": "cpu_permille", "t": "cpu_time_ns"}
    for letter, name in keys.items():
        rows = _json(context, found, f"ps-sort-{letter}")
        values = [row[name] for row in rows]
        context.expect(len(rows) >= 2 and values == sorted(values, reverse=True), f"evl ps -S {letter}: {name} is {values}")
    pids = [row["pid"] for row in _json(context, found, "ps-sort-r")]
    context.expect(pids == sorted(pids, reverse=True), f"evl ps -S r: pids are {pids}")


def _reports(context: Context, found: dict[str, Result]) -> None:
    report = _json(context, found, "latmus-json")
    if report:
        contexts = [one["context"] for one in report["runs"]]
        context.expect(contexts == ["irq", "kernel", "user", "sirq"], f"latmus --json: contexts {contexts}")
        for one in report["runs"]:
            counted = sum(one["histogram"]["counts"])
            context.expect(counted == one["samples"] >= 1000, f"latmus --json: {one['context']}: {counted} in cells, {one['samples']} samples")
    for name in ("latmus-svg", "latmus-html"):
        text = found[name].out
        picture = text[text.find("<svg"):text.find("</svg>") + 6]
        try:
            xml.etree.ElementTree.fromstring(picture)
        except xml.etree.ElementTree.ParseError as error:
            context.expect(False, f"{name}: not a picture: {error}")
    context.expect("http-equiv" in found["latmus-html"].out or not re.search(r"(src|href)=.https?:", found["latmus-html"].out),
                   "latmus --html: the page needs something from the network")


def _json(context: Context, found: dict[str, Result], name: str):
    try:
        return json.loads(found[name].out)
    except (KeyError, ValueError) as error:
        context.expect(False, f"{name}: no JSON: {error}")
        return []


def _rules(context: Context, found: dict[str, Result]) -> None:
    """The rule reaches what users need, each part of it something, and neither elements nor the drivers that disturb everybody."""
    devices = dict(re.findall(r"^(\S+) (\S+)$", found["devices"].out, re.MULTILINE))  # name -> subsystem, of those with a node
    granted: set[str] = set()
    for line in RULES.read_text().splitlines():
        match = re.fullmatch(r'SUBSYSTEM=="([^"]+)", KERNEL=="([^"]+)", GROUP="evl", MODE="0660"', line)
        if not match:
            context.expect(line.startswith("#") or not line, f"udev rule not understood: {line}")
            continue
        for subsystem in match[1].split("|"):
            for kernel in match[2].split("|"):
                hits = {path for path, system in devices.items() if fnmatch.fnmatch(system, subsystem)
                        and fnmatch.fnmatch(path.rsplit("/", 1)[-1], kernel)}
                granted |= hits
                later = subsystem in ("observable",) or kernel == "poll"  # Elements that the core does not have yet.
                context.expect(bool(hits) or later, f"udev rule: no device {kernel} of {subsystem}")
    names = {path.rsplit("/", 1)[-1] for path in granted}
    context.expect({"control", "clone", "monotonic"} <= names and not names & {"latmus", "hectic"}, f"udev rule: gives {sorted(names)}")
