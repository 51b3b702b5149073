# SPDX-License-Identifier: LGPL-2.1-or-later

"""Running fio."""

import json
import subprocess

from subjects import LIMIT, Failure

COMMON = ["fio", "--name=bench", "--size=64m", "--time_based", "--output-format=json"]


def on_nbd(uri, operation, seconds):
    """Returns the command for 4 KiB at random offsets of an export, 64 in flight."""
    command = [*COMMON, "--ioengine=nbd", f"--uri={uri}", f"--rw={operation}"]
    return command + ["--bs=4k", "--iodepth=64", f"--runtime={seconds}"]


def on_file(file, size, jobs, seconds):
    """Returns the command for random reads of a file without the page cache."""
    command = [*COMMON, "--ioengine=psync", f"--filename={file}", "--rw=randread"]
    command += ["--direct=1", f"--bs={size}", f"--runtime={seconds}"]
    return command + ["--thread", f"--numjobs={jobs}", "--group_reporting"]


def run(bench, subject, command):
    """Returns operations per second, and fio's CPU µs per operation."""
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
    # fio prints other text before its report.
    report = json.loads(done.stdout[done.stdout.index("{"):])
    job = report["jobs"][0]
    rate = job["read"]["iops"] + job["write"]["iops"]
    share = (job["usr_cpu"] + job["sys_cpu"]) / 100
    return rate, share * 1e6 / rate
