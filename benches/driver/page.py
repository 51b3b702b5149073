# SPDX-License-Identifier: LGPL-2.1-or-later

"""Updates the tables of docs/performance.md, and leaves its text unchanged."""

from figures import table, times
from measure import Result
from report import headline_table, real_programs_table, text
from subjects import C, THIS, Failure

# Medians beyond these are called slower.
LEAST_RATE, MOST_CPU = 0.95, 1.05


def slower(results):
    """Returns the results that need more time or CPU time than with the C library."""
    everything = results.cases + results.processes + results.real_programs
    return [
        r
        for r in everything
        if Result.ratio(r.rate, THIS, C).median < LEAST_RATE
        or Result.ratio(r.cpu, THIS, C).median > MOST_CPU
    ]


def slower_table(results):
    found = slower(results)
    if not found:
        yield "There is no such case in this run."
        return
    yield from table(
        ["this library ÷ C library", "operations/s", "CPU per operation"],
        (
            [r.name, times(r.rate, THIS, C, bold=True), times(r.cpu, THIS, C, bold=True)]
            for r in found
        ),
    )


def blocks(results, facts, plot):
    """Returns the lines of each block, by name."""
    return {
        "in short": headline_table(results.headline),
        "slower": slower_table(results),
        "plot": [f"![Operations per second and CPU by case]({plot})"],
        "programs": real_programs_table(results.real_programs),
        "machine": [f"- {fact}" for fact in facts],
    }


def fill(page, name, lines):
    """Returns the page with these lines between the marks of the block."""
    begin, end = (f"<!-- {word}: {name}, written by make bench -->" for word in ("begin", "end"))
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise Failure(f"performance.md has no block {name!r}")
    return f"{before}{begin}\n\n{text(lines)}\n{end}{after}"


def write(path, results, facts, plot):
    page = path.read_text()
    for name, lines in blocks(results, facts, plot).items():
        page = fill(page, name, lines)
    path.write_text(page)
