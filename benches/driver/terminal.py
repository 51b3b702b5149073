# SPDX-License-Identifier: LGPL-2.1-or-later

"""Formats results as lines for the terminal."""

from figures import call_count, number
from measure import Result, Spread
from subjects import C, FLOOR, THIS

HEAD = (
    f"{'':50} {'rate (operations or MiB)/s':>26} {'CPU us/op':>20} {'system calls/op':>17}"
    f" {'this / C':>11} {'/floor':>6}\n"
    f"{'case':50}" + f" {'C':>7} {'this':>7} {'floor':>7}" * 2
    + f" {'C':>5} {'this':>5} {'floor':>5} {'rate':>5} {'CPU':>5} {'CPU':>6}"
)


def line(result):
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
    return (
        f"{result.name:50} {medians(result.rate)} {medians(result.cpu)} {calls}"
        f" {ratio(result.rate, C):>5} {ratio(result.cpu, C):>5}"
        f" {ratio(result.cpu, FLOOR):>6}"
    )


def comparison_line(comparison, result):
    ratios = " ".join(
        f"{s} {Result.ratio(result[s], 'other', 'base').median:.2f}"
        for s in (C, THIS, FLOOR)
    )
    return f"CPU per operation, {comparison.section}, {comparison.name}: {ratios}"


def memory_lines(rows):
    for name, c, this in rows:
        yield f"{name}: C {c}, this {this}"
