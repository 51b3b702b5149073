# SPDX-License-Identifier: LGPL-2.1-or-later

"""A description of the machine, without its name."""

import os
import platform
import re
import subprocess
from pathlib import Path

import python
from subjects import C


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return (done.stdout or done.stderr).splitlines()[0].strip()


def version(text):
    return re.search(r"\d+(\.\d+)+", text)[0]


def c_library(bench):
    """The version of the library, as nbdcopy reports it."""
    done = subprocess.run(
        ["nbdcopy", "--version"],
        env=bench.programs.environment(C),
        capture_output=True,
        text=True,
        check=True,
    )
    return re.search(r"^libnbd (\S+)", done.stdout, re.M)[1]


def compiler(bench):
    """The version of rustc that built the library, from the string that rustc adds."""
    with open(bench.programs.library / "libnbd.so", "rb") as library:
        return version(re.search(rb"rustc version ([0-9.]+)", library.read())[1].decode())


def system():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "Linux"


def this_version():
    """The versions of the interface and of the implementation."""
    source = Path(__file__).resolve().parent.parent.parent
    cargo = (source / "Cargo.toml").read_text()
    interface = re.search(r'^version = "(.*)"', cargo, re.M)[1]
    code = (source / "src/capi/version.rs").read_text()
    implementation = re.search(r'VERSION_EXTRA: .*"(.*)"', code)[1]
    return f"{interface} ({implementation})"


def describe(bench, load):
    """Returns the lines of a Markdown list."""
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    processor = model[1].strip() if model else platform.machine()
    virtual = ", a virtual machine" if "hypervisor" in info else ""
    kernel = version(platform.release())
    versions = [
        f"{program} {version(first_line(program, '--version'))}"
        for program in ("fio", "nbdcopy", "nbdfuse", "nbdkit")
    ]
    versions.append(f"Python {version(first_line(python.INTERPRETER, '--version'))}")
    return [
        f"Processor: {processor}, {os.cpu_count()} CPUs{virtual}",
        f"System: {system()}, Linux {kernel}",
        f"This library: {this_version()}, built with rustc {compiler(bench)}",
        f"C library: Debian's libnbd0 {c_library(bench)}",
        ", ".join(versions),
        f"Load average of the machine when the benchmark began: {load:.1f}",
        f"{bench.rounds} rounds; system calls counted with {bench.counter.name}",
    ]
