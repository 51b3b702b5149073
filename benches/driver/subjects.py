# SPDX-License-Identifier: LGPL-2.1-or-later

"""The subjects of a measurement: this library, the C library, and the floor."""

import json
import os
import re
import subprocess
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent
THIS, C, FLOOR = "this", "C", "floor"
NAMES = {THIS: "this library", C: "C library", FLOOR: "floor"}
# The time limit of each program in seconds.
LIMIT = 120


class Failure(Exception):
    """The measurement is not possible."""


class Programs:
    """The C programs, each compiled once against the C library's header."""

    def __init__(self, out):
        self.library = Path(out).resolve()
        self.directory = self.library / "bench"

    def compile(self):
        self.directory.mkdir(exist_ok=True)
        for source in sorted(SOURCES.glob("*.c")):
            command = ["cc", "-O2", "-Wall", "-pthread", source]
            command += ["-o", self.path(source.stem)]
            if "<libnbd.h>" in source.read_text():
                command.append("-lnbd")
            subprocess.run(command, check=True)

    def path(self, name):
        return self.directory / name

    def environment(self, subject):
        """Returns the environment that selects the library; the floor uses none."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ("LD_LIBRARY_PATH", "LD_PRELOAD", "LIBNBD_DEBUG")
        }
        if subject == THIS:
            kept["LD_LIBRARY_PATH"] = str(self.library)
        return kept

    def resolved(self, program, subject):
        """Returns the path of the library that a program loads, with links resolved."""
        text = subprocess.run(
            ["ldd", program],
            env=self.environment(subject),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found = re.search(r"libnbd\.so\.0 => (\S+)", text)
        if not found:
            raise Failure(f"{program} does not use libnbd")
        return Path(found[1]).resolve()

    def check(self, program):
        """Checks that the two subjects use different libraries."""
        ours = (self.library / "libnbd.so").resolve()
        if self.resolved(program, THIS) != ours or self.resolved(program, C) == ours:
            raise Failure(f"{program} does not run on the library that it should")


class Processors:
    """The CPUs of client and server: different ones if there are at least two."""

    def __init__(self):
        self.all = sorted(os.sched_getaffinity(0))
        self.client = {self.all[0]}
        self.server = {self.all[-1]}

    def pin(self, processors):
        """Returns a function that binds a process before it is started."""
        return lambda: os.sched_setaffinity(0, processors)


def run_json(command, environment, pin):
    """Runs a program that reports one JSON object."""
    done = subprocess.run(
        [str(word) for word in command],
        env=environment,
        preexec_fn=pin,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode != 0:
        raise Failure(f"{Path(command[0]).name}: {done.stderr.strip()}")
    return json.loads(done.stdout)
