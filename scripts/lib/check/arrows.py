"""Which file may include which: `utils, tests -> lib -> uapi <- core -> kapi -> Linux`, and no other arrow. See Documentation/core/architecture.md.

Looks at the #include lines of the sources; a file that no rule covers is not looked at. Runs alone, `python3 arrows.py ROOT`, or in the suite `style`.
"""

from __future__ import annotations

import pathlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"][^>"]+[>"])')
SIMULATOR = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*(?:\bSIM|_SIM\b|HOST|GTEST)")
STANDARD = r"<(?:array|atomic|bit|compare|concepts|cstddef|limits|new|span|type_traits|utility)>"
ABI = r"<evl/[a-z0-9_/-]+\.h>"


@dataclass(frozen=True)
class Rule:
    """Files whose path matches `of` may include what matches one of `may`; the first rule that matches a file is its rule."""
    of: str
    may: tuple[str, ...]
    why: str


RULES: tuple[Rule, ...] = (
    Rule(r"include/uapi/evl/.*\.h", (r"<linux/(?:types|ioctl)\.h>", ABI), "the ABI includes itself and scalar types"),
    Rule(r"kernel/evl/kapi/platform/.*", (r"<kapi-sizes\.h>",), "the kernel's platform header brings generated sizes"),
    Rule(r"kernel/evl/kapi/.*\.h", (r'"kapi/.*"', r"<linux/types\.h>", r"<kapi-platform\.h>", r"<stddef\.h>"),
         "the boundary's headers are read by both languages: no Linux header, no core header"),
    Rule(r"kernel/evl/kapi/.*\.c", (r'"kapi/.*"', r"<kapi-platform\.h>", ABI,
                                    r"<(?:linux|asm|uapi|dovetail|trace)/.*>", r"<(?:asm-generic|vdso)/.*>"),
         "the boundary's C side never includes a header of the core"),
    Rule(r"kernel/evl/include/(?:dovetail|trace)/.*\.h", (r"<(?:linux|trace)/.*>",), "Linux reads these headers: they are of the boundary's C side"),
    Rule(r"kernel/evl/cxx/.*", (r"<linux/compiler_types\.h>",), "stand-ins include nothing of Linux"),
    Rule(r"kernel/evl/base/types\.h", (STANDARD, r"<linux/types\.h>"), "one list of standard headers"),
    Rule(r"kernel/evl/base/.*", (r'"base/.*"', r'"kapi/.*"', ABI, r"<linux/errno\.h>"), "base stands on kapi alone"),
    Rule(r"kernel/evl/.*\.(?:h|cc)", (r'"(?!\.\.)[a-z_]+/.*\.h"', ABI), "the core includes itself, kapi and the ABI, never a linux/ header"),
    Rule(r"kernel/dovetail/overlay/.*\.[ch]", (r"(?![<\"](?:evl|uapi/evl|kapi)/).*",), "Dovetail never names the core"),
    Rule(r"(?:lib|include/evl)/.*\.(?:h|cc|cpp|c)", (r"(?![<\"](?:.*kernel/|kapi/|base/)).*",), "the library reaches the kernel through the ABI only"),
    Rule(r"utils/.*\.(?:h|cc|c)", (r"(?![<\"](?:.*kernel/|kapi/|base/)).*",), "tools reach the kernel through library and ABI only"),
)


def rule_of(path: str) -> Rule | None:
    return next((rule for rule in RULES if re.fullmatch(rule.of, path)), None)


def broken(path: str, text: str) -> Iterator[str]:
    """One line for each forbidden arrow in the file `path` (relative to the project) with this text."""
    rule = rule_of(path)
    if rule is None:
        return
    in_core = path.startswith("kernel/evl/")
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        if found and not any(re.fullmatch(may, found.group(1)) for may in rule.may):
            yield f"{path}:{number}: may not include {found.group(1)}: {rule.why}"
        if in_core and SIMULATOR.match(line):
            yield f"{path}:{number}: the core does not know the simulator: {line.strip()}"


def files(root: pathlib.Path) -> Iterator[pathlib.Path]:
    for folder in ("include", "kernel", "lib", "utils"):
        yield from (file for file in sorted((root / folder).rglob("*")) if file.suffix in (".h", ".c", ".cc", ".cpp"))


def check(root: pathlib.Path) -> tuple[int, list[str]]:
    """The number of files a rule covers, and what is wrong in them."""
    covered, wrong = 0, []
    for file in files(root):
        path = file.relative_to(root).as_posix()
        covered += rule_of(path) is not None
        wrong.extend(broken(path, file.read_text(encoding="utf-8")))
    return covered, wrong


def main() -> int:
    covered, wrong = check(pathlib.Path(sys.argv[1]))
    print("\n".join(wrong) if wrong else f"{covered} files, no forbidden include")
    return 1 if wrong or not covered else 0


if __name__ == "__main__":
    sys.exit(main())
