# SPDX-License-Identifier: LGPL-2.1-or-later

"""Running Debian's Python with the module nbd."""

import subprocess

from subjects import SOURCES, run_json

# Other Python installations do not have Debian's modules.
INTERPRETER = "/usr/bin/python3"


def module():
    """Returns the path of the extension module, which is linked with the library."""
    done = subprocess.run(
        [INTERPRETER, "-c", "import libnbdmod; print(libnbdmod.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def run(bench, subject, depth, reads):
    """Returns reads per second, and CPU µs per read."""
    uri = bench.servers.memserver("--no-extended-headers").uri("read")
    done = run_json(
        [INTERPRETER, "-B", SOURCES / "reads.py", uri, depth, reads],
        bench.programs.environment(subject),
        bench.processors.pin(bench.processors.client),
    )
    return reads / done["seconds"], done["cpu"] / reads * 1e6
