# SPDX-License-Identifier: LGPL-2.1-or-later

"""Figures as text, and tables in Markdown."""

from measure import Result, Spread


def number(value):
    """Formats a number with three significant digits."""
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


def ratio_of_ratios(result, one, other):
    """The relative cost of the second case, for one subject compared to another."""
    pairs = zip(
        Result.ratios(result[one], "other", "base"),
        Result.ratios(result[other], "other", "base"),
    )
    it = Spread.of(a / b for a, b in pairs)
    return f"{it.median:.2f} ({it.low:.2f}–{it.high:.2f})"


def call_count(result, subject):
    if subject not in result.calls:
        return "–"
    count = result.calls[subject]
    return f"{count:.2f}" if count >= 0.1 else f"{count:.3f}"


def busy(result, subject):
    """The share of its CPU that the server used."""
    if subject not in result.busy:
        return "–"
    return f"{Spread.of(result.busy[subject]).median:.0%}"


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "| --- |" + " --: |" * (len(head) - 1)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
