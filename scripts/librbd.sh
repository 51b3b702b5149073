#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# librbd.sh: loads Ceph's librbd, which is linked with libnbd, in Debian sid: in Python and
# in qemu-img, first with the C library and then with this one. It fails if the results
# differ, and prints the number of shared objects in the process and the time to load them.
# Called by `make librbd`.

set -euo pipefail
cd "$(dirname "$0")/.."

root=$(scripts/make-system.sh sid libnbd0 python3-rados python3-rbd qemu-utils \
    qemu-block-extra)
out=$(realpath "${OUT:-target/release}")
BIND=$out scripts/in-root.sh "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    python3 -B - "$out" <<'EOF2'
import os, statistics, subprocess, sys

ROUNDS = 21
LIBRARIES = {"the C library": None, "this library": sys.argv[1]}
IMPORT = """
import time
start = time.perf_counter()
import rbd
print(time.perf_counter() - start)
with open("/proc/self/maps") as maps:
    print(*{line.split()[-1] for line in maps if ".so" in line})
"""

def run(directory, *command, **more):
    environment = dict(os.environ, **more)
    if directory:
        environment["LD_LIBRARY_PATH"] = directory
    return subprocess.run(command, env=environment, capture_output=True, text=True)

def check(condition, *details):
    if not condition:
        sys.exit(" ".join(map(str, details)))

seen = {}
for name, directory in LIBRARIES.items():
    # qemu-img loads the module with librbd when it parses the name of the image.
    info = run(directory, "qemu-img", "info", "rbd:pool/missing")
    check(info.returncode == 1 and "rbd:pool/missing" in info.stderr, name, info)
    seen[name] = info.stderr
    loaded = run(directory, "qemu-img", "info", "rbd:pool/missing", LD_DEBUG="files")
    lines = [line for line in loaded.stderr.splitlines() if "libnbd.so.0" in line]
    check(lines, "qemu-img has no libnbd:", loaded.stderr)
    ours = any(directory in line for line in lines) if directory else True
    check(ours, name, "is not what qemu-img loads:", *lines)
check(len(set(seen.values())) == 1, "qemu-img says something else:", seen)
print(seen["this library"], end="")

times = {name: [] for name in LIBRARIES}
objects = {}
for _ in range(ROUNDS):
    for name, directory in LIBRARIES.items():
        imported = run(directory, sys.executable, "-B", "-c", IMPORT)
        check(imported.returncode == 0, name, imported)
        time, paths = imported.stdout.splitlines()
        times[name].append(float(time) * 1000)
        objects[name] = paths.split()
        libnbd = [path for path in objects[name] if "libnbd.so" in path]
        check(len(libnbd) == 1, name, objects[name])
        check(libnbd[0].startswith(directory or "/usr"), libnbd, "is not", name)

print(f"\npython3 -c 'import rbd', {ROUNDS} times each in turn:")
for name in LIBRARIES:
    print(f"{name:15} {len(objects[name])} objects, {statistics.median(times[name]):.1f} ms")
only = {name: {os.path.basename(path) for path in paths} for name, paths in objects.items()}
for one, other in (LIBRARIES, reversed(LIBRARIES)):
    print(f"only with {one}:", *sorted(only[one] - only[other]) or ["none"])
ratio = statistics.median(a / b for a, b in zip(*(times[name] for name in reversed(LIBRARIES))))
print(f"time to load, this library / the C library: {ratio:.2f}")
EOF2
