# SPDX-License-Identifier: LGPL-2.1-or-later

"""Measures this library, the C library and the floor side by side.

    OUT=target/release python3 benches/driver [--quick] [--rounds N] [--passes N] [--only TEXT]

prints tables, and without --quick and --only, or with --write, writes
docs/performance.md and its plot. In a release of Debian without a C compiler it has
--system NAME, after --compile here; what it writes has a place of its own.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import comparisons
import people
import plot
import processes
import report
from cases import all_cases
from machine import describe
from measure import Bench
from servers import Servers
from subjects import Failure, Processors, Programs

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="some cases, 3 rounds")
    parser.add_argument("--rounds", type=int, help="7, with --quick 3")
    parser.add_argument(
        "--passes", type=int, default=16, help="operations by depth, at least"
    )
    parser.add_argument("--write", action="store_true", help="a part of the page, too")
    parser.add_argument("--compile", action="store_true", help="compile, and nothing else")
    parser.add_argument("--system", help="the release of Debian where this runs")
    parser.add_argument("--only", metavar="TEXT", help="cases whose names have it")
    return parser.parse_args()


def may_open_many_files():
    """How many connections one process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(10_000, hard - 100)


def say(text):
    print(text, flush=True)


def measure(bench, options, connections):
    """All results, printed while they come in."""
    results = report.Results()
    cases = [case for case in all_cases() if case.quick or not options.quick]
    if options.only:
        cases = [case for case in cases if options.only in case.name]
    say(report.TERMINAL_HEAD)
    for case in cases:
        result = bench.measure(case)
        results.cases.append(result)
        say(report.terminal(result))
    if options.only:
        return results
    for comparison in comparisons.all_comparisons():
        if comparison.quick or not options.quick:
            result = comparisons.compare(bench, comparison)
            results.comparisons.append((comparison, result))
            say(report.terminal_comparison(comparison, result))
    for result in (
        processes.load(bench, 20 if options.quick else 100),
        processes.connect(bench, 300 if options.quick else 1000),
    ):
        results.processes.append(result)
        say(report.terminal(result))
    results.handles = processes.handles(
        bench, 1000 if options.quick else connections
    )
    say(report.terminal_handles(results.handles))
    for result in people.fio(bench, 1 if options.quick else 2):
        results.people.append(result)
        say(report.terminal(result))
    for result in people.nbdcopy(bench):
        results.people.append(result)
        say(report.terminal(result))
    return results


def main():
    options = arguments()
    load = os.getloadavg()[0]
    connections = may_open_many_files()
    programs = Programs(os.environ.get("OUT", "target/release"))
    if not options.system:
        programs.compile()
    if options.compile:
        return
    programs.check(programs.path("commands"))
    processors = Processors()
    rounds, seconds = (3, 0.1) if options.quick else (7, 0.25)
    rounds = options.rounds or rounds
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        with Servers(programs, processors, directory) as servers:
            bench = Bench(
                programs, processors, servers, rounds, seconds, options.passes
            )
            say(f"System calls are counted with {bench.counter.name}.\n")
            results = measure(bench, options, connections)
    (programs.directory / f"results{options.system or ''}.json").write_text(
        json.dumps(asdict(results), indent=1)
    )
    if (options.quick or options.only) and not options.write:
        say("\nA part of the cases only: docs/performance.md stays as it is.")
        return
    DOCS.mkdir(exist_ok=True)
    facts = describe(bench, load)
    if options.quick:
        facts.append("The cases of `make bench QUICK=1` only")
    name = f"performance-{options.system}.svg" if options.system else "performance.svg"
    (DOCS / name).write_text(plot.svg(results))
    report.write(DOCS / "performance.md", results, facts, name, options.system)
    say(f"\nWritten: docs/performance.md, docs/{name}")


try:
    main()
except Failure as failure:
    sys.exit(f"bench: {failure}")
