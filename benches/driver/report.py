# SPDX-License-Identifier: LGPL-2.1-or-later

"""All results as a document in Markdown."""

from dataclasses import dataclass, field
from itertools import groupby

from figures import busy, call_count, ratio_of_ratios, spread, table, times
from measure import Result
from subjects import C, FLOOR, THIS


@dataclass
class Results:
    """The results of a benchmark."""

    cases: list = field(default_factory=list)
    # Pairs of a comparison and its result.
    comparisons: list = field(default_factory=list)
    processes: list = field(default_factory=list)
    real_programs: list = field(default_factory=list)
    # The report of the program `handles`, by the number of reads in flight.
    handles: dict = field(default_factory=dict)

    @property
    def headline(self):
        """The results in the first table of the page."""
        return [r for r in self.cases if r.case.headline] + self.processes


def case_tables(cases):
    for section, results in groupby(cases, lambda result: result.case.section):
        results = list(results)
        yield f"### {section}\n"
        yield from table(
            ["operations/s", "C library", "this library", "floor", "this ÷ C"],
            (
                [r.name, *(spread(r.rate, s) for s in (C, THIS, FLOOR))]
                + [times(r.rate, THIS, C, bold=True)]
                for r in results
            ),
        )
        yield ""
        yield from table(
            ["CPU µs per operation", "C library", "this library", "floor"]
            + ["this ÷ C", "this ÷ floor"],
            (
                [r.name, *(spread(r.cpu, s) for s in (C, THIS, FLOOR))]
                + [times(r.cpu, THIS, C, bold=True), times(r.cpu, THIS, FLOOR)]
                for r in results
            ),
        )
        yield ""
        yield from table(
            ["system calls per operation; server", "C library", "this library"]
            + ["floor", "server busy: C", "this", "floor"],
            (
                [r.name, *(call_count(r, s) for s in (C, THIS, FLOOR))]
                + [busy(r, s) for s in (C, THIS, FLOOR)]
                for r in results
            ),
        )
        yield ""
        yield from round_tables(r for r in results if r.case.compute)


def speeds_by_round(result):
    """Yields the speed relative to the C library, one value per round."""
    yield "all", Result.ratios(result.rate, THIS, C)
    yield "in calls of the library", Result.ratios(result.in_calls, C, THIS)
    yield "fastest cycle", Result.ratios(result.cycle, C, THIS)


def round_tables(results):
    for result in results:
        rounds = [f"round {n}" for n, _ in enumerate(result.rate[C], 1)]
        yield from table(
            ["speed, this ÷ C", *rounds, "minimum"],
            (
                [name, *(f"{speed:.3f}" for speed in speeds)]
                + [f"**{min(speeds):.3f}**"]
                for name, speeds in speeds_by_round(result)
            ),
        )
        yield ""


def comparison_tables(compared):
    for section, pairs in groupby(compared, lambda pair: pair[0].section):
        yield f"### {section}\n"
        rows = []
        for comparison, result in pairs:
            row = [comparison.name]
            for subject in (C, THIS, FLOOR):
                bold = subject == THIS
                row.append(times(result[subject], "other", "base", bold))
            rows.append([*row, ratio_of_ratios(result, THIS, FLOOR)])
        head = ["CPU per operation, ratio", "C library", "this library", "floor"]
        yield from table([*head, "this ÷ floor"], rows)
        yield ""


def process_tables(results):
    yield "### Processes and connections\n"
    rows = []
    for result in results.processes:
        wall = {s: [1e6 / rate for rate in v] for s, v in result.rate.items()}
        for name, values in (("wall", wall), ("CPU", result.cpu)):
            rows.append(
                [f"{result.name}, {name} µs"]
                + [spread(values, s) for s in (C, THIS, FLOOR)]
                + [times(values, THIS, C, bold=True)]
            )
        if result.resident:
            rows += loading_rows(result)
    yield from table(["", "C library", "this library", "floor", "this ÷ C"], rows)
    yield ""
    yield "### Handles\n"
    yield from table(
        ["", "C library", "this library", "this ÷ C"],
        (
            [name, f"{c:g}", f"{this:g}", f"**{this / c:.2f}**"]
            for name, c, this in handle_rows(results.handles)
        ),
    )
    yield ""


def loading_rows(load):
    """Yields the CPU time without that of starting the process, and its memory."""
    alone = {
        s: [cpu - floor for cpu, floor in zip(load.cpu[s], load.cpu[FLOOR])]
        for s in (C, THIS)
    }
    yield (
        [f"{load.name}, without starting the process, CPU µs"]
        + [spread(alone, s) for s in (C, THIS, FLOOR)]
        + [times(alone, THIS, C, bold=True)]
    )
    resident = load.resident
    yield (
        ["memory of that small process, MiB"]
        + [f"{resident[s] / 2**20:.1f}" for s in (C, THIS, FLOOR)]
        + [f"**{resident[THIS] / resident[C]:.2f}**"]
    )


def handle_rows(handles):
    """Yields names, and the values of the C library and of this library."""

    def row(depth, key, name):
        return name, handles[depth][C][key], handles[depth][THIS][key]

    for key in ("created", "connected"):
        yield row(1, f"{key}_heap", f"one handle, {key}, bytes of heap")
        yield row(1, f"{key}_resident", f"one handle, {key}, bytes resident")
    for depth in handles:
        if depth > 1:
            once = f"one handle, idle after {depth:,} reads in flight"
            yield row(depth, "idle_heap", f"{once}, bytes of heap")
            more = f"{once} and {depth:,} more one at a time"
            yield row(depth, "later_heap", f"{more}, bytes of heap")
    count = handles[1][C]["handles"]
    name, *seconds = row(1, "connect_seconds", f"{count:,} handles connected, seconds")
    yield name, *(round(it, 2) for it in seconds)


def real_programs_table(results):
    yield from table(
        ["program", "unit", "C library", "this library", "this ÷ C", "CPU, this ÷ C"],
        (
            [r.name, r.unit, spread(r.rate, C), spread(r.rate, THIS)]
            + [times(r.rate, THIS, C, bold=True), times(r.cpu, THIS, C, bold=True)]
            for r in results
        ),
    )
    yield ""


def headline_table(results):
    yield from table(
        ["this library ÷ C library", "operations/s", "CPU per operation"]
        + ["CPU, this library ÷ floor"],
        (
            [
                r.name,
                times(r.rate, THIS, C, bold=True),
                times(r.cpu, THIS, C, bold=True),
                times(r.cpu, THIS, FLOOR),
            ]
            for r in results
        ),
    )
    yield ""


def document(results, facts):
    yield "<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->\n"
    yield "# All cases\n"
    yield "Written by `make bench`. [performance.md](performance.md) says how each figure"
    yield "is measured.\n"
    yield "## Measured on\n"
    yield from (f"- {fact}" for fact in facts)
    yield ""
    yield "## In short\n"
    yield from headline_table(results.headline)
    yield "## Commands\n"
    yield from case_tables(results.cases)
    yield "## Ratios\n"
    yield from comparison_tables(results.comparisons)
    yield "## Processes, connections, handles\n"
    yield from process_tables(results)
    yield "## Programs\n"
    yield from real_programs_table(results.real_programs)


def text(lines):
    return "\n".join(lines).rstrip() + "\n"
