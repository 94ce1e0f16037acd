"""The command line of scripts/check."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict

import common

from check import runner, table

_UNDER_TEST = "DOVETAIL_IN_CHECK"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="What must hold for a change to land. Sets up what is missing, builds the kernels it needs "
                    "(lean and debug in the short form), and runs the suites.",
        epilog=f"Suites: {', '.join(table.NAMES)}. Logs are in {common.BUILD}/check. Status 0: all passed; 1: not.")
    parser.add_argument("suites", nargs="*", metavar="NAME", help="only these suites")
    parser.add_argument("--full", action="store_true", help="the long form, on every configuration (up to 150 minutes)")
    parser.add_argument("--resume", action="store_true",
                        help="continue a run that was stopped: suites that have passed are not run again")
    parser.add_argument("--list", action="store_true", help="list the suites with what they need, and end")
    parser.add_argument("--json", action="store_true", help="the results as one JSON object on stdout")
    parser.add_argument("--config", action="append", default=[], metavar="NAME", help="only on this kernel (repeatable)")
    parser.add_argument("--smp", action="append", default=[], type=_count, metavar="N",
                        help="only with that many virtual CPUs (repeatable)")
    parser.add_argument("--renew", action="append", default=[], metavar="NAME",
                        help="measure what a suite keeps in tests/boot/stored again: "
                             + ", ".join(suite.name for suite in table.SUITES if suite.renews))
    parser.add_argument("--no-build", dest="build", action="store_false",
                        help="test the kernels as they are, for work on the tests themselves")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"not a number from 1 to 64: {text}")
    return int(text)


def main() -> int:
    arguments = _parser().parse_args()
    _check_names(arguments.suites, table.NAMES, "suite")
    _check_names(arguments.config, common.config_names(), "configuration")
    _check_names(arguments.renew, [suite.name for suite in table.SUITES if suite.renews], "stored verdict")
    if arguments.list:
        return _list(arguments)
    if os.environ.get(_UNDER_TEST):
        raise common.Failure("scripts/check was started by scripts/check", "a suite must not run the whole",
                             common.EXIT_USAGE)
    os.environ[_UNDER_TEST] = "1"
    _set_up()
    if arguments.renew:
        return _renew(arguments)
    suites = tuple(suite for suite in table.SUITES if suite.name in arguments.suites) or table.usual(arguments.full)
    plan = runner.Plan(suites, arguments.full, tuple(arguments.config), tuple(arguments.smp), arguments.resume,
                       arguments.build)
    results = runner.run(plan)
    return _report(arguments, results, plan)


def _report(arguments: argparse.Namespace, results: list[runner.Result], plan: runner.Plan) -> int:
    failed = any(one.verdict == "failed" for one in results)
    if arguments.json:
        print(json.dumps({"form": "long" if plan.long else "short", "suites": [asdict(one) for one in results],
                          "counts": runner.counts_line(results)}))
    else:
        sys.stderr.flush()
        print(f"\ncheck: {'long' if plan.long else 'short'} form at {runner.commit_name()}, {runner.now_text()}")
        left_out = [suite.name for suite in table.SUITES if suite not in table.usual(plan.long)] if not arguments.suites else []
        print(runner.summary(results, plan.long, left_out), flush=True)
    return common.EXIT_FAILED if failed else 0


def _check_names(given: list[str], known, what: str) -> None:
    for name in given:
        if name not in known:
            raise common.Failure(f"unknown {what}: {name}", f"known: {', '.join(known)}", common.EXIT_USAGE)


def _list(arguments: argparse.Namespace) -> int:
    listed = [{"name": suite.name, "summary": suite.summary, "long_only": suite.long_only,
               **{form: {"configs": getattr(suite, form).configs, "limit_s": getattr(suite, form).limit_s,
                         **getattr(suite, form).values} for form in ("short", "long")}} for suite in table.SUITES]
    if arguments.json:
        print(json.dumps(listed))
    else:
        for one in listed:
            form = one["long" if arguments.full else "short"]
            named = " (--full, or by its name)" if one["long_only"] else ""
            print(f"{one['name']:12} {one['summary']} [{', '.join(form['configs']) or 'no kernel'}]{named}")
    return 0


def _set_up() -> None:
    """Packages and kernel source; silent when nothing is missing."""
    import packages
    packages.ensure(*packages.DEFAULT_GROUPS)


def _renew(arguments: argparse.Namespace) -> int:
    """Builds what the named suites store results of, and measures again."""
    suites = [table.find(name) for name in arguments.renew]
    configs = list(dict.fromkeys(config for suite in suites for config in suite.renews))
    broken = runner.build_kernels(configs) if arguments.build else {}
    if broken:
        raise common.Failure("; ".join(broken.values()))
    results = []
    for suite in suites:
        common.say(f"check: renewing what {suite.name} stores")
        # The long form's limit, and no kernels but those that were just built.
        results.append(runner.run_suite(suite, runner.Plan((suite,), True), {}, "renew"))
    print(runner.summary(results, long=True), flush=True)
    return common.EXIT_FAILED if any(one.verdict == "failed" for one in results) else 0
