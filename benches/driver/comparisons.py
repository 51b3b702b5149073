# SPDX-License-Identifier: LGPL-2.1-or-later

"""Comparisons of two cases with the same library.

Both are measured in the same rounds, because other load on the machine can have a
larger effect than the difference between them.
"""

from dataclasses import dataclass, replace

from cases import Case
from subjects import C, FLOOR, THIS


@dataclass(frozen=True)
class Comparison:
    """The ratio of `other` to `base`."""

    section: str
    name: str
    base: Case
    other: Case
    quick: bool = False


# Fewer rounds than elsewhere: the C library takes seconds for some cases.
ROUNDS = 3
DEPTH = "Depth 8192 ÷ depth 64"
DEBUG = "Debug messages ÷ a plain handle"


def shuffled(case):
    """Returns the case with shuffled replies, of which three quarters are held back."""
    return replace(case, shuffle=case.depth * 3 // 4)


def all_comparisons():
    plain = Case("", "read")
    for operation, size, quick in (
        ("read", 4096, True),
        ("read", 512, False),
        ("write", 4096, False),
        ("zero", 4096, False),
    ):
        low = Case("", operation, size, 64)
        high = Case("", operation, size, 8192)
        words = low.name.partition(",")[0]
        yield Comparison(DEPTH, f"{words}, in order", low, high, quick)
        low, high = shuffled(low), shuffled(high)
        yield Comparison(DEPTH, f"{words}, shuffled", low, high)
    off = replace(plain, debug="callback")
    yield Comparison(DEBUG, "debug callback set, debug off", plain, off)
    yield Comparison(DEBUG, "debug on", plain, replace(plain, debug="on"))


def compare(bench, comparison):
    """Returns the CPU time per operation of both cases, one value per round."""
    cases = {"base": comparison.base, "other": comparison.other}
    result = {
        subject: {which: [] for which in cases} for subject in (C, THIS, FLOOR)
    }
    servers = {
        which: bench.servers.memserver(*case.server_options)
        for which, case in cases.items()
    }
    operations = {
        which: bench.operations(case, servers[which]) for which, case in cases.items()
    }
    for _ in range(ROUNDS):
        for subject, values in result.items():
            for which, case in cases.items():
                done = bench.once(case, subject, servers[which], operations[which])
                values[which].append(done["cpu"] / operations[which] * 1e6)
    return result
