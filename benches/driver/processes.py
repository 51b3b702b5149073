# SPDX-License-Identifier: LGPL-2.1-or-later

"""The cost of a process, a connection and a handle."""

from measure import Result
from subjects import C, FLOOR, THIS, run_json


def load(bench, times):
    """Measures starting a program that creates a handle, and one that does nothing."""
    result = Result("load, nbd_create, nbd_close")
    for _ in range(bench.rounds):
        for subject in (C, THIS, FLOOR):
            program = "nothing" if subject == FLOOR else "load"
            done = run_json(
                [bench.programs.path("spawn"), times, bench.programs.path(program)],
                bench.programs.environment(subject),
                bench.processors.pin(bench.processors.client),
            )
            result.add(
                subject, times / done["seconds"], done["cpu"] / times * 1e6
            )
            result.resident[subject] = done["resident"]
    return result


def connect(bench, times):
    """Measures connecting to a Unix socket and disconnecting."""
    result = Result("connect, disconnect")
    server = bench.servers.memserver("--no-extended-headers")
    for _ in range(bench.rounds):
        for subject in (C, THIS, FLOOR):
            if subject == FLOOR:
                words = ["floor", "-l", "connect", "-u", server.socket]
            else:
                words = ["connect", "-u", server.uri("read")]
            done = run_json(
                [bench.programs.path(words[0]), *words[1:], "-n", times],
                bench.programs.environment(subject),
                bench.processors.pin(bench.processors.client),
            )
            result.add(
                subject, times / done["seconds"], done["cpu"] / times * 1e6
            )
    return result


def handles(bench, count, depth):
    """Returns the report of `handles` for each subject: one process with `count`
    connections, and `depth` reads in flight on each of them in turn."""
    server = bench.servers.memserver("--no-extended-headers")
    words = ["-u", server.uri("read"), "-n", count, "-d", depth]
    return {
        subject: run_json(
            [bench.programs.path("handles"), *words],
            bench.programs.environment(subject),
            bench.processors.pin(bench.processors.client),
        )
        for subject in (C, THIS)
    }
