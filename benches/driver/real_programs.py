# SPDX-License-Identifier: LGPL-2.1-or-later

"""Unmodified programs, run with both libraries."""

import os
import shutil
import subprocess
import threading
import time

import fio
import mount
import python
from measure import Result
from servers import used_by
from subjects import C, LIMIT, THIS, Failure


def all_programs(bench, rounds, seconds):
    """Yields a result for each program."""
    yield from on_fio(bench, rounds, seconds)
    yield from on_nbdcopy(bench, rounds)
    if mount.possible():
        yield from on_nbdfuse(bench, rounds, seconds)
    yield from on_proxy(bench, rounds, seconds)
    yield from on_python(bench, rounds)


def in_turns(bench, rounds, name, unit, run, *words):
    """Runs both libraries in turn. `run(bench, subject, *words)` returns the rate, and the
    CPU µs per unit."""
    result = Result(name, unit=unit)
    for _ in range(rounds):
        for subject in (C, THIS):
            result.add(subject, *run(bench, subject, *words))
    return result


def on_fio(bench, rounds, seconds):
    """fio's nbd engine: 4 KiB at random offsets, 64 in flight."""
    bench.programs.check(shutil.which("fio"))
    memserver = bench.servers.memserver("--no-extended-headers")
    nbdkit = bench.servers.nbdkit
    for operation, server, uri in (
        ("randread", "memserver", memserver.uri("read")),
        ("randwrite", "memserver", memserver.uri("write")),
        ("randread", "nbdkit pattern", nbdkit("pattern", "64M").uri()),
        ("randwrite", "nbdkit memory", nbdkit("memory", "64M").uri()),
    ):
        name = f"fio 4 KiB {operation}, depth 64, {server}"
        command = fio.on_nbd(uri, operation, seconds)
        yield in_turns(bench, rounds, name, "operations/s", fio.run, command)


def on_nbdcopy(bench, rounds):
    """nbdcopy of 1 GiB."""
    bench.programs.check(shutil.which("nbdcopy"))
    source = bench.servers.nbdkit("pattern", "1G").uri()
    target = bench.servers.nbdkit("memory", "1G").uri()
    for to, uri in (("null", "null:"), ("nbdkit memory", target)):
        name = f"nbdcopy 1 GiB, nbdkit pattern to {to}"
        command = ["nbdcopy", source, uri]
        yield in_turns(bench, rounds, name, "MiB/s", copy, command, 1024)


def copy(bench, subject, command, mebibytes):
    start = time.monotonic()
    process = subprocess.Popen(command, env=bench.programs.environment(subject))
    limit = threading.Timer(LIMIT, process.kill)
    limit.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    limit.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failure("nbdcopy failed")
    cpu = usage.ru_utime + usage.ru_stime
    return mebibytes / seconds, cpu * 1e6 / mebibytes


def on_nbdfuse(bench, rounds, seconds):
    """Reads of a mounted file, without the page cache."""
    bench.programs.check(shutil.which("nbdfuse"))
    for size, words, jobs in (("4k", "4 KiB", 8), ("256k", "256 KiB", 1)):
        name = f"nbdfuse, {words} randread of the file, {jobs} at a time"
        more = (size, jobs, seconds)
        yield in_turns(bench, rounds, name, "operations/s", read_mounted, *more)


def read_mounted(bench, subject, size, jobs, seconds):
    uri = bench.servers.memserver("--no-extended-headers").uri("read")
    with mount.Mount(bench, subject, uri) as mounted:
        command = fio.on_file(mounted.file, size, jobs, seconds)
        return under_load(bench, mounted.process, command, seconds)


def on_proxy(bench, rounds, seconds):
    """nbdkit as a proxy: a client of memserver, and the server of fio."""
    bench.programs.check(proxy_plugin())
    for operation in ("read", "write"):
        name = f"nbdkit's proxy, 4 KiB rand{operation}, depth 64"
        more = (operation, seconds)
        yield in_turns(bench, rounds, name, "operations/s", use_proxy, *more)


def use_proxy(bench, subject, operation, seconds):
    uri = bench.servers.memserver("--no-extended-headers").uri(operation)
    proxy = bench.servers.nbdkit("nbd", f"uri={uri}", subject=subject)
    command = fio.on_nbd(proxy.uri(), f"rand{operation}", seconds)
    return under_load(bench, proxy.process, command, seconds)


def under_load(bench, process, command, seconds):
    """Returns fio's rate, always with the C library, and the CPU time of `process`."""
    before = used_by(process)
    rate, _ = fio.run(bench, C, command)
    return rate, (used_by(process) - before) * 1e6 / (rate * seconds)


def proxy_plugin():
    """Returns the path of the plugin, which is linked with the library."""
    done = subprocess.run(
        ["nbdkit", "--dump-plugin", "nbd"], capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("path=")]
    return lines[0].partition("=")[2]


def on_python(bench, rounds):
    """The Python module, with completion callbacks in Python."""
    bench.programs.check(python.module())
    for depth, reads, words in ((1, 5000, "pread"), (64, 20_000, "aio_pread, depth 64")):
        name = f"Python, 4 KiB {words}"
        yield in_turns(bench, rounds, name, "operations/s", python.run, depth, reads)
