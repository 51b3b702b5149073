# SPDX-License-Identifier: LGPL-2.1-or-later

"""Measuring a case, in rounds in which each subject runs once."""

import statistics
import subprocess
from dataclasses import dataclass, field

from subjects import C, FLOOR, LIMIT, Failure, run_json


@dataclass
class Spread:
    """Median, minimum and maximum."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        values = list(values)
        return cls(statistics.median(values), min(values), max(values))


@dataclass
class Result:
    """The results of all rounds of a measurement, by subject."""

    name: str
    case: object = None
    unit: str = "operations/s"
    # Each value is a list with one element per round.
    rate: dict = field(default_factory=dict)
    cpu: dict = field(default_factory=dict)
    busy: dict = field(default_factory=dict)
    calls: dict = field(default_factory=dict)
    # Microseconds per operation in calls of the library, without the computing.
    in_calls: dict = field(default_factory=dict)
    # Seconds of the fastest cycle of issuing, computing and collecting.
    cycle: dict = field(default_factory=dict)
    # Resident memory of the process in bytes, one value for each subject.
    resident: dict = field(default_factory=dict)

    def add(self, subject, rate, cpu, busy=None):
        """Adds a round: operations or MiB per second, CPU µs for each, server's share."""
        self.rate.setdefault(subject, []).append(rate)
        self.cpu.setdefault(subject, []).append(cpu)
        if busy is not None:
            self.busy.setdefault(subject, []).append(min(busy, 1.0))

    @staticmethod
    def ratios(values, one, other):
        """The ratios of two subjects in each round: other load affects both alike."""
        return [a / b for a, b in zip(values[one], values[other])]

    @staticmethod
    def ratio(values, one, other):
        """Median, minimum and maximum of these ratios."""
        if one not in values or other not in values:
            return None
        return Spread.of(Result.ratios(values, one, other))


class Counter:
    """Counts system calls: with the program `calls` if the kernel permits it, otherwise
    with strace, which slows each call down so that more replies arrive at once."""

    def __init__(self, programs):
        self.tool = [programs.path("calls")]
        self.name = "a tracepoint of the kernel"
        try:
            self.count(["true"], None, None)
        except Failure:
            self.tool = ["strace", "-f", "-qq", "-c", "--"]
            self.name = "strace"

    def count(self, command, environment, pin):
        done = subprocess.run(
            [str(word) for word in self.tool + command],
            env=environment,
            preexec_fn=pin,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        if done.returncode != 0:
            raise Failure(f"{self.tool[0]}: {done.stderr.strip()}")
        # strace's last line: 100.00, seconds, microseconds per call, calls, errors, total.
        words = done.stderr.splitlines()[-1].split()
        return int(words[3] if len(words) > 1 else words[0])


class Bench:
    """The programs, servers and settings of a benchmark."""

    def __init__(self, programs, processors, servers, rounds, seconds, passes):
        self.programs = programs
        self.processors = processors
        self.servers = servers
        self.rounds = rounds
        # The time in seconds that a round takes with the C library.
        self.seconds = seconds
        # The minimum number of operations, as a multiple of the depth.
        self.passes = passes
        self.counter = Counter(programs)

    def command(self, case, subject, server, operations):
        words = ["-o", case.operation, "-s", case.size, "-d", case.depth]
        words += ["-n", operations, "-c", case.compute]
        if subject == FLOOR:
            target = server.target(case.transport)
            words += ["-u", target, "-x", case.style]
            words += ["-l", "own"] if case.waits_with_poll else []
            return [self.programs.path("floor"), *words]
        certificates = self.servers.certificates if case.tls else None
        uri = server.uri(case.operation, case.transport, certificates)
        words += ["-u", uri, "-l", case.loop, "-D", case.debug]
        words += ["-b"] if case.batched else []
        program = case.loop if case.loop in ("threads", "shared") else "commands"
        return [self.programs.path(program), *words]

    def once(self, case, subject, server, operations):
        command = self.command(case, subject, server, operations)
        pin = self.processors.pin(self.processors.client)
        return run_json(command, self.programs.environment(subject), pin)

    def operations(self, case, server):
        """Returns the number that the C library completes in the wanted time, but enough
        that the start, with fewer operations in flight, has little effect."""
        few = min(200 if case.delay else 2000, (64 << 20) // case.size)
        few = max(2 * case.depth, few)
        warm_up = self.once(case, C, server, few)
        wanted = self.seconds * few / warm_up["seconds"]
        depths = max(self.passes, round(wanted / case.depth))
        return depths * case.depth

    def measure(self, case):
        server = self.servers.memserver(*case.server_options, together=case.together)
        operations = self.operations(case, server)
        result = Result(case.name, case)
        for round_number in range(self.rounds):
            # The order changes, so that no subject always follows the same one.
            first = round_number % len(case.subjects)
            for subject in case.subjects[first:] + case.subjects[:first]:
                before = server.cpu_seconds()
                done = self.once(case, subject, server, operations)
                spent = server.cpu_seconds() - before
                result.add(
                    subject,
                    operations / done["seconds"],
                    done["cpu"] / operations * 1e6,
                    spent / done["seconds"],
                )
                in_calls = (done["seconds"] - done["computed"]) / operations * 1e6
                result.in_calls.setdefault(subject, []).append(in_calls)
                result.cycle.setdefault(subject, []).append(done["cycle"])
        for subject in case.subjects:
            result.calls[subject] = self.calls(case, subject, server)
        return result

    def calls(self, case, subject, server):
        """System calls per operation, from the difference of two runs."""
        # Enough that the start of a run has little effect.
        enough = min(64 if case.delay else 2048, max(16, (64 << 20) // case.size))
        few = case.depth * max(2, enough // case.depth)
        environment = self.programs.environment(subject)
        pin = self.processors.pin(self.processors.client)
        counts = [
            self.counter.count(
                self.command(case, subject, server, operations), environment, pin
            )
            for operations in (few, 2 * few)
        ]
        return (counts[1] - counts[0]) / few
