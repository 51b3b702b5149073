# SPDX-License-Identifier: LGPL-2.1-or-later

"""The plot: two panels of bars, relative to the C library."""

from measure import Result
from subjects import C, FLOOR, THIS

COLOURS = {C: "#9aa5b1", THIS: "#c2410c", FLOOR: "#3b82a0"}
NAMES = {
    C: "C library",
    THIS: "this library",
    FLOOR: "floor: the same bytes, no protocol",
}
LEFT, PANEL, GAP, TOP = 210, 300, 40, 84
BAR, ROW = 11, 42


def svg(cases):
    """Returns an SVG document, legible on light and dark backgrounds."""
    height = TOP + ROW * len(cases) + 36
    width = LEFT + 2 * PANEL + GAP + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        "<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->",
        "<title>This library, the C library and the floor</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    parts += legend()
    panels = (
        ("CPU per operation, C library = 1: less is better", "cpu", LEFT),
        ("Operations per second, C library = 1: more is better", "rate", LEFT + PANEL + GAP),
    )
    for title, what, left in panels:
        parts += panel(cases, title, what, left)
    for row, result in enumerate(cases):
        y = TOP + row * ROW + 15
        first, _, rest = result.name.partition(", ")
        parts.append(text(LEFT - 10, y, first, "end", "bold"))
        parts.append(text(LEFT - 10, y + 14, rest, "end"))
    return "\n".join([*parts, "</svg>", ""])


def text(x, y, words, anchor="start", weight="normal", size=12):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#1f2933"'
        f' font-weight="{weight}" font-size="{size}">{words}</text>'
    )


def legend():
    x = LEFT
    for subject in (C, THIS, FLOOR):
        yield f'<rect x="{x}" y="14" width="11" height="11" fill="{COLOURS[subject]}"/>'
        yield text(x + 17, 24, NAMES[subject])
        x += 38 + 7 * len(NAMES[subject])


def scale(highest):
    """Returns the end of the axis, a round number, and the distance of its marks."""
    for end, step in ((1.25, 0.25), (2, 0.5), (4, 1), (8, 2), (16, 4), (40, 10)):
        if highest <= end:
            return end, step
    return highest, highest / 4


def panel(cases, title, what, left):
    ratios = [
        {s: Result.ratio(getattr(r, what), s, C) for s in (THIS, FLOOR)} for r in cases
    ]
    # Longer bars are truncated; the label has the figure.
    highest = min(max(max(it[THIS].high for it in ratios) * 1.15, 1.2), 4)
    end, step = scale(highest)
    bottom = TOP + ROW * len(cases)

    def x(value):
        return left + min(value, end) / end * PANEL

    yield text(left, TOP - 28, title, weight="bold")
    for n in range(round(end / step) + 1):
        at = x(n * step)
        colour, line = ("#52606d", 1.2) if n * step == 1 else ("#d5dbe1", 1)
        yield (
            f'<line x1="{at:.1f}" y1="{TOP - 6}" x2="{at:.1f}" y2="{bottom}"'
            f' stroke="{colour}" stroke-width="{line}"/>'
        )
        yield text(at, TOP - 11, f"{n * step:g}", "middle", size=10)
    for row, ratio in enumerate(ratios):
        y = TOP + row * ROW + 2
        yield bar(left, y, x(1) - left, C)
        for n, subject in enumerate((THIS, FLOOR), 1):
            it = ratio[subject]
            if it is None:
                continue
            yield bar(left, y + n * BAR, x(it.median) - left, subject)
            yield whisker(x(it.low), x(it.high), y + n * BAR + BAR / 2)
            label = f"{it.median:.2f}"
            at = max(x(it.high), x(it.median)) + 4
            yield text(at, y + n * BAR + 9, label, size=10)


def bar(left, y, width, subject):
    return (
        f'<rect x="{left}" y="{y + 1}" width="{width:.1f}" height="{BAR - 2}"'
        f' fill="{COLOURS[subject]}"/>'
    )


def whisker(low, high, y):
    return (
        f'<path d="M{low:.1f} {y - 2.5}v5M{low:.1f} {y}H{high:.1f}'
        f'M{high:.1f} {y - 2.5}v5" stroke="#1f2933" fill="none"/>'
    )
