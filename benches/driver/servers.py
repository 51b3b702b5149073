# SPDX-License-Identifier: LGPL-2.1-or-later

"""The servers: memserver, and nbdkit for the real programs."""

import os
import subprocess
import time
from pathlib import Path

import certificates
from subjects import C, Failure

MIB = 1 << 20


def used_by(process):
    """Returns the CPU seconds of a process and its threads, in steps of 10 ms."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    """A process that listens on a Unix socket below `directory`."""

    def __init__(self, process, socket, port=None):
        self.process = process
        self.socket = str(socket)
        self.port = port

    def uri(self, export="", transport="unix", certificates=None):
        if certificates:
            query = f"socket={self.socket}&tls-certificates={certificates}"
            return f"nbds+unix:///{export}?{query}"
        if transport == "tcp":
            return f"nbd://127.0.0.1:{self.port}/{export}"
        return f"nbd+unix:///{export}?socket={self.socket}"

    def target(self, transport):
        """Returns the address in the form that the floor expects."""
        return self.port if transport == "tcp" else self.socket

    def cpu_seconds(self):
        """Returns the CPU seconds used so far by the threads that exist now."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Servers:
    """Starts servers when they are needed, and stops all of them at the end."""

    def __init__(self, programs, processors, directory):
        self.programs = programs
        self.processors = processors
        self.directory = Path(directory)
        self.running = {}
        # Random data: pages of zeroes would be sent as holes.
        self.data = self.directory / "data"
        self.data.write_bytes(os.urandom(64 * MIB))
        self.certificates = certificates.make(self.directory / "certificates")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.running.values():
            server.stop()

    def memserver(self, *options, together=False):
        """Has an export for each operation, so that reads always find data."""
        processors = self.processors.client if together else self.processors.server
        key = ("memserver", options, together)
        if key not in self.running:
            socket = self.directory / f"memserver-{len(self.running)}"
            command = [self.programs.library / "memserver", "--exit-with-parent"]
            command += ["--unix", socket, "--tcp", "127.0.0.1:0", *options]
            if "--tls" in options:
                command += ["--tls-certificates", self.certificates]
            command += ["--export", "read", "--file", self.data]
            command += ["--export", "write", "--size", "64M"]
            command += ["--export", "zero", "--size", "64M"]
            command += ["--export", "mix", "--size", "64M", "--pattern"]
            process = subprocess.Popen(
                [str(word) for word in command],
                stdout=subprocess.PIPE,
                text=True,
                preexec_fn=self.processors.pin(processors),
            )
            address = process.stdout.readline().strip()
            if not address:
                process.wait()
                raise Failure("memserver did not start")
            port = address.rpartition(":")[2]
            self.running[key] = Server(process, socket, port)
        return self.running[key]

    def nbdkit(self, *plugin, subject=C):
        """Is not bound to a CPU, since it and its clients have several threads. Its nbd
        plugin uses the library of `subject`."""
        key = ("nbdkit", plugin, subject)
        if key not in self.running:
            socket = self.directory / f"nbdkit-{len(self.running)}"
            command = ["nbdkit", "--foreground", "--exit-with-parent"]
            process = subprocess.Popen(
                command + ["--unix", str(socket), *plugin],
                env=self.programs.environment(subject),
            )
            self.running[key] = Server(process, socket)
            for _ in range(1000):
                if socket.exists():
                    break
                if process.poll() is not None:
                    raise Failure("nbdkit did not start")
                time.sleep(0.01)
        return self.running[key]
