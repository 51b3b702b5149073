# SPDX-License-Identifier: LGPL-2.1-or-later

"""An export that nbdfuse mounts as a file."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from subjects import Failure


def possible():
    """Containers may have no FUSE."""
    return os.access("/dev/fuse", os.R_OK | os.W_OK)


class Mount:
    """Mounted on entering, unmounted on leaving."""

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
