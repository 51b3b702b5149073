# SPDX-License-Identifier: LGPL-2.1-or-later

"""An export that nbdfuse mounts as a file."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from subjects import Failure


def possible():
    """True if FUSE is available, which is not the case in some containers."""
    return os.access("/dev/fuse", os.R_OK | os.W_OK)


class Mount:
    """A context manager: mounts the export, and unmounts it at the end."""

    def __init__(self, bench, subject, uri):
        self.directory = Path(tempfile.mkdtemp(dir=bench.servers.directory))
        self.file = self.directory / "nbd"
        self.process = subprocess.Popen(
            ["nbdfuse", self.directory, uri], env=bench.programs.environment(subject)
        )

    def __enter__(self):
        for _ in range(1000):
            if self.file.exists():
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.process.kill()
        raise Failure("nbdfuse did not mount")

    def __exit__(self, *_):
        subprocess.run(["fusermount3", "-u", self.directory], check=True)
        self.process.wait(timeout=10)
        self.directory.rmdir()
