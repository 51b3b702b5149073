# SPDX-License-Identifier: LGPL-2.1-or-later

"""The programs that people run, unchanged, on both libraries."""

import json
import os
import shutil
import subprocess
import threading
import time

from measure import Result
from subjects import C, LIMIT, THIS, Failure


def fio(bench, seconds):
    """fio's nbd engine: 4 KiB at random places, 64 in flight."""
    program = shutil.which("fio")
    bench.programs.check(program)
    memserver = bench.servers.memserver("--no-extended-headers")
    nbdkit = bench.servers.nbdkit
    for operation, name, uri in (
        ("randread", "memserver", memserver.uri("read")),
        ("randwrite", "memserver", memserver.uri("write")),
        ("randread", "nbdkit pattern", nbdkit("pattern", "64M").uri()),
        ("randwrite", "nbdkit memory", nbdkit("memory", "64M").uri()),
    ):
        result = Result(f"fio 4 KiB {operation}, depth 64, {name}")
        command = [program, "--name=bench", "--ioengine=nbd", f"--uri={uri}"]
        command += [f"--rw={operation}", "--bs=4k", "--iodepth=64", "--size=64m"]
        command += ["--time_based", f"--runtime={seconds}", "--output-format=json"]
        for _ in range(bench.rounds):
            for subject in (C, THIS):
                result.add(subject, *run_fio(bench, command, subject, operation))
        yield result


def run_fio(bench, command, subject, operation):
    done = subprocess.run(
        command,
        env=bench.programs.environment(subject),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode != 0:
        raise Failure(f"fio: {done.stderr.strip()}")
    # fio says other things before its report.
    report = json.loads(done.stdout[done.stdout.index("{"):])
    job = report["jobs"][0]
    figures = job[operation.removeprefix("rand")]
    share = (job["usr_cpu"] + job["sys_cpu"]) / 100
    return figures["iops"], share * 1e6 / figures["iops"]


def nbdcopy(bench):
    """nbdcopy of 1 GiB: rates are copies a second."""
    program = shutil.which("nbdcopy")
    bench.programs.check(program)
    source = bench.servers.nbdkit("pattern", "1G").uri()
    target = bench.servers.nbdkit("memory", "1G").uri()
    for name, words in (
        ("nbdcopy 1 GiB, nbdkit pattern to null", [source, "null:"]),
        ("nbdcopy 1 GiB, nbdkit pattern to nbdkit memory", [source, target]),
    ):
        result = Result(name)
        for _ in range(bench.rounds):
            for subject in (C, THIS):
                seconds, cpu = run_timed(bench, [program, *words], subject)
                result.add(subject, 1 / seconds, cpu * 1e6)
        yield result


def run_timed(bench, command, subject):
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
    return seconds, usage.ru_utime + usage.ru_stime
