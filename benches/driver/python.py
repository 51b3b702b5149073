# SPDX-License-Identifier: LGPL-2.1-or-later

"""Running Debian's Python with the module nbd."""

import subprocess

from subjects import SOURCES, run_json

# Not another Python, which does not have Debian's modules.
INTERPRETER = "/usr/bin/python3"


def module():
    """The file that uses the library."""
    done = subprocess.run(
        [INTERPRETER, "-c", "import libnbdmod; print(libnbdmod.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def run(bench, subject, depth, reads):
    """Reads a second, and CPU µs for each."""
    uri = bench.servers.memserver("--no-extended-headers").uri("read")
    done = run_json(
        [INTERPRETER, "-B", SOURCES / "reads.py", uri, depth, reads],
        bench.programs.environment(subject),
        bench.processors.pin(bench.processors.client),
    )
    return reads / done["seconds"], done["cpu"] / reads * 1e6
