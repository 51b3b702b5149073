# SPDX-License-Identifier: LGPL-2.1-or-later

"""Measures this library, the C library and the floor side by side.

    OUT=target/release python3 benches/driver [--quick] [--rounds N] [--only TEXT]

prints a line for each case. Without --quick and --only it also writes all tables and
the plot: to docs/ in the system REFERENCE, elsewhere to the directory of the compiled
programs. In a root of Debian without a C compiler, run it with --system NAME, after
--compile outside of it.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import comparisons
import page
import plot
import processes
import real_programs
import report
import terminal
from cases import all_cases, quick_cases
from machine import describe
from measure import Bench
from servers import Servers
from subjects import Failure, Processors, Programs

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
# The system that has the reference version of the C library.
REFERENCE = "sid"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="some cases, 3 rounds")
    parser.add_argument("--rounds", type=int, help="5, with --quick 3")
    parser.add_argument("--compile", action="store_true", help="compile, and nothing else")
    parser.add_argument("--system", help="the release of Debian where this runs")
    parser.add_argument("--only", metavar="TEXT", help="cases whose names have it")
    return parser.parse_args()


def may_open_many_files():
    """Raises the limit of open files; returns the maximum number of connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(10_000, hard - 100)


def say(text):
    print(text, flush=True)


def chosen_cases(options):
    if options.only:
        return [case for case in all_cases() if options.only in case.name]
    return quick_cases() if options.quick else list(all_cases())


def measure(bench, options, connections):
    """Returns all results, and prints each when it is measured."""
    results = report.Results()
    say(terminal.HEAD)
    for case in chosen_cases(options):
        result = bench.measure(case)
        results.cases.append(result)
        say(terminal.line(result))
    if options.only:
        return results
    measure_comparisons(bench, results, options.quick)
    measure_processes(bench, results, options.quick, connections)
    rounds = 1 if options.quick else bench.rounds
    for result in real_programs.all_programs(bench, rounds, seconds=1):
        results.real_programs.append(result)
        say(terminal.line(result))
    return results


def measure_comparisons(bench, results, quick):
    for comparison in comparisons.all_comparisons():
        if comparison.quick or not quick:
            result = comparisons.compare(bench, comparison)
            results.comparisons.append((comparison, result))
            say(terminal.comparison_line(comparison, result))


def measure_processes(bench, results, quick, connections):
    for result in (
        processes.load(bench, 20 if quick else 100),
        processes.connect(bench, 300 if quick else 1000),
    ):
        results.processes.append(result)
        say(terminal.line(result))
    for depth, count in ((1, 1000 if quick else connections), (64, 10), (1024, 10)):
        results.handles[depth] = processes.handles(bench, count, depth)
    for line in terminal.memory_lines(report.handle_rows(results.handles)):
        say(line)


def write(results, facts, programs, system):
    """Writes all results; those of the reference system go to the documents."""
    directory = DOCS if system == REFERENCE else programs.directory
    (directory / "performance.svg").write_text(plot.svg(results.headline))
    (directory / "performance-cases.md").write_text(
        report.text(report.document(results, facts))
    )
    if system == REFERENCE:
        page.write(DOCS / "performance.md", results, facts, "performance.svg")
    say(f"\nWritten: {directory}/performance*")


def run(options, programs):
    load = os.getloadavg()[0]
    connections = may_open_many_files()
    programs.check(programs.path("commands"))
    processors = Processors()
    rounds, seconds, passes = (3, 0.1, 4) if options.quick else (5, 0.25, 4)
    rounds = options.rounds or rounds
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        with Servers(programs, processors, directory) as servers:
            bench = Bench(programs, processors, servers, rounds, seconds, passes)
            facts = describe(bench, load)
            say("\n".join([*facts, ""]))
            results = measure(bench, options, connections)
    (programs.directory / f"results{options.system or ''}.json").write_text(
        json.dumps(asdict(results), indent=1)
    )
    if options.quick or options.only:
        say("\nA part of the cases only: no table was written.")
    else:
        write(results, facts, programs, options.system)


def main():
    options = arguments()
    start = time.monotonic()
    programs = Programs(os.environ.get("OUT", "target/release"))
    if not options.system:
        programs.compile()
    if options.compile:
        return
    run(options, programs)
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    say(f"The measurement took {minutes} min {seconds} s.")


try:
    main()
except Failure as failure:
    sys.exit(f"bench: {failure}")
