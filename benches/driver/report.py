# SPDX-License-Identifier: LGPL-2.1-or-later

"""Results as text: a line on the terminal, tables in docs/performance.md."""

from dataclasses import dataclass, field
from itertools import groupby

from measure import Result, Spread
from subjects import C, FLOOR, THIS, Failure

def marks(system):
    """Between these lines docs/performance.md is written anew; the rest is kept."""
    command = f"make bench SYSTEM={system}" if system else "make bench"
    return [f"<!-- {word}: written by `{command}` -->" for word in ("begin", "end")]


@dataclass
class Results:
    """Everything that was measured."""

    cases: list = field(default_factory=list)
    # Pairs of a comparison and its result.
    comparisons: list = field(default_factory=list)
    processes: list = field(default_factory=list)
    people: list = field(default_factory=list)
    handles: dict = field(default_factory=dict)


def number(value):
    """Three digits that count."""
    if value >= 9.995e5:
        return f"{value / 1e6:.3g} M"
    if value >= 999.5:
        return f"{value / 1e3:.3g} k" if value < 99_950 else f"{value / 1e3:.0f} k"
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"


def spread(values, subject):
    if subject not in values:
        return "–"
    it = Spread.of(values[subject])
    return f"{number(it.median)} ({number(it.low)}–{number(it.high)})"


def times(values, one, other, bold=False):
    it = Result.ratio(values, one, other)
    if it is None:
        return "–"
    median = f"**{it.median:.2f}**" if bold else f"{it.median:.2f}"
    return f"{median} ({it.low:.2f}–{it.high:.2f})"


def call_count(result, subject):
    if subject not in result.calls:
        return "–"
    count = result.calls[subject]
    return f"{count:.2f}" if count >= 0.1 else f"{count:.3f}"


def busy(result, subject):
    """The share of its CPU that the server was using."""
    if subject not in result.busy:
        return "–"
    return f"{Spread.of(result.busy[subject]).median:.0%}"


TERMINAL_HEAD = (
    f"{'':47} {'operations/s':>23} {'CPU us/op':>23} {'system calls/op':>17}"
    f" {'this / C':>11} {'/floor':>6}\n"
    f"{'case':47}" + f" {'C':>7} {'this':>7} {'floor':>7}" * 2
    + f" {'C':>5} {'this':>5} {'floor':>5} {'ops':>5} {'CPU':>5} {'CPU':>6}"
)


def terminal(result):
    def medians(values):
        return " ".join(
            f"{number(Spread.of(values[s]).median) if s in values else '-':>7}"
            for s in (C, THIS, FLOOR)
        )

    def ratio(values, other):
        it = Result.ratio(values, THIS, other)
        return "-" if it is None else f"{it.median:.2f}"

    calls = " ".join(
        f"{call_count(result, s).replace('–', '-'):>5}" for s in (C, THIS, FLOOR)
    )
    lines = [
        f"{result.name:47} {medians(result.rate)} {medians(result.cpu)} {calls}"
        f" {ratio(result.rate, C):>5} {ratio(result.cpu, C):>5}"
        f" {ratio(result.cpu, FLOOR):>6}"
    ]
    if result.case and result.case.compute:
        for name, speeds in speeds_by_round(result):
            rounds = " ".join(f"{speed:.3f}" for speed in speeds)
            lines.append(
                f"  speed, this / C, {name}, by round: {rounds}; "
                f"minimum {min(speeds):.3f}"
            )
    return "\n".join(lines)


def terminal_comparison(comparison, result):
    ratios = " ".join(
        f"{s} {Result.ratio(result[s], 'other', 'base').median:.2f}"
        for s in (C, THIS, FLOOR)
    )
    return f"CPU per operation, {comparison.section}, {comparison.name}: {ratios}"


HANDLES = {
    "created": "created",
    "connected": "connected",
    "idle": "idle again after 64 reads in flight",
}


def terminal_handles(handles):
    lines = []
    for key, name in HANDLES.items():
        c, this = (handles[s][key + "_heap"] for s in (C, THIS))
        lines.append(f"bytes of heap per handle, {name}: C {c}, this {this}")
    c, this = (handles[s]["connect_seconds"] for s in (C, THIS))
    count = handles[C]["handles"]
    lines.append(f"{count} handles connected in: C {c:.2f} s, this {this:.2f} s")
    return "\n".join(lines)


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "| --- |" + " --: |" * (len(head) - 1)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


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
    """This library's speed by that of the C library, one value a round."""
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
            rows.append(row)
        head = ["CPU per operation, ratio", "C library", "this library", "floor"]
        yield from table(head, rows)
        yield ""


def process_tables(results):
    load, connect = results.processes
    yield "### Processes, connections, handles\n"
    rows = []
    for result in (load, connect):
        wall = {s: [1e6 / rate for rate in v] for s, v in result.rate.items()}
        for name, values in (("wall", wall), ("CPU", result.cpu)):
            rows.append(
                [f"{result.name}, {name} µs"]
                + [spread(values, s) for s in (C, THIS, FLOOR)]
                + [times(values, THIS, C, bold=True)]
            )
    rows.append(
        ["memory of that small process, MiB"]
        + [f"{load.resident[s] / 2**20:.1f}" for s in (C, THIS, FLOOR)]
        + [f"**{load.resident[THIS] / load.resident[C]:.2f}**"]
    )
    for key, name in HANDLES.items():
        for kind, unit in (("heap", "bytes of heap"), ("resident", "bytes resident")):
            c, this = (results.handles[s][f"{key}_{kind}"] for s in (C, THIS))
            rows.append(
                [f"one handle, {name}, {unit}", f"{c}", f"{this}", "–"]
                + [f"**{this / c:.2f}**"]
            )
    c, this = (results.handles[s]["connect_seconds"] for s in (C, THIS))
    count = results.handles[C]["handles"]
    rows.append(
        [f"{count:,} handles of one process connected, seconds"]
        + [f"{c:.2f}", f"{this:.2f}", "–", f"**{this / c:.2f}**"]
    )
    yield from table(["", "C library", "this library", "floor", "this ÷ C"], rows)
    yield ""


def people_tables(people):
    yield "### Programs that people run\n"
    fio = [r for r in people if r.name.startswith("fio")]
    copies = [r for r in people if not r.name.startswith("fio")]
    yield from table(
        ["IOPS", "C library", "this library", "this ÷ C", "CPU per op, this ÷ C"],
        (
            [r.name, spread(r.rate, C), spread(r.rate, THIS)]
            + [times(r.rate, THIS, C, bold=True), times(r.cpu, THIS, C, bold=True)]
            for r in fio
        ),
    )
    yield ""
    yield from table(
        ["MiB/s", "C library", "this library", "this ÷ C", "CPU, this ÷ C"],
        (
            [r.name]
            + [spread({s: [x * 1024 for x in r.rate[s]]}, s) for s in (C, THIS)]
            + [times(r.rate, THIS, C, bold=True), times(r.cpu, THIS, C, bold=True)]
            for r in copies
        ),
    )
    yield ""


def short_table(cases):
    plotted = [r for r in cases if r.case.plot]
    yield from table(
        ["this library by C library", "operations/s", "CPU per operation"]
        + ["system calls per operation", "CPU, this ÷ floor"],
        (
            [
                r.name,
                times(r.rate, THIS, C, bold=True),
                times(r.cpu, THIS, C, bold=True),
                f"{call_count(r, THIS)} instead of {call_count(r, C)}",
                times(r.cpu, THIS, FLOOR),
            ]
            for r in plotted
        ),
    )
    yield ""


def markdown(results, facts, plot, system):
    """All of it for this system; for another one, what there is to see at once."""
    yield f"## In short, in Debian {system}\n" if system else "## In short\n"
    yield f"![CPU and operations per second by case]({plot})\n"
    yield from short_table(results.cases)
    if system:
        yield from (f"- {fact}" for fact in facts)
        return
    yield "## Measured on\n"
    yield from (f"- {fact}" for fact in facts)
    yield ""
    yield "## All cases\n"
    yield from case_tables(results.cases)
    yield from comparison_tables(results.comparisons)
    yield from process_tables(results)
    yield from people_tables(results.people)


def write(path, results, facts, plot, system):
    """Puts the figures between the two marks of an existing text."""
    begin, end = marks(system)
    before, found, rest = path.read_text().partition(begin)
    if not found:
        raise Failure(f"{path.name} has no line {begin}")
    _, _, after = rest.partition(end)
    figures = "\n".join(markdown(results, facts, plot, system)).strip()
    path.write_text(f"{before}{begin}\n\n{figures}\n\n{end}{after}")
