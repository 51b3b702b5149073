# SPDX-License-Identifier: LGPL-2.1-or-later

"""Reads 4 KiB again and again with the Python module: reads.py URI DEPTH READS.

Reports like the C programs. Depth 1 is nbd.pread, more is nbd.aio_pread.
"""

import json
import resource
import sys
import time

import nbd

SIZE = 4096
# Length of the part of the export that reads cycle through.
SPAN = 64 << 20


def offset(n):
    return n * SIZE % SPAN


def one_by_one(handle, reads):
    for n in range(reads):
        handle.pread(SIZE, offset(n))


def in_flight(handle, depth, reads):
    vacant = [nbd.Buffer(SIZE) for _ in range(depth)]

    def issue(n, buffer):
        def completed(error):
            if error.value != 0:
                sys.exit("a read failed")
            vacant.append(buffer)
            return 1  # retires the command

        handle.aio_pread(buffer, offset(n), completion=completed)

    issued = 0
    while issued < reads or len(vacant) < depth:
        while vacant and issued < reads:
            issue(issued, vacant.pop())
            issued += 1
        handle.poll(-1)


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    uri, depth, reads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    handle = nbd.NBD()
    handle.connect_uri(uri)
    start, cpu = time.monotonic(), cpu_seconds()
    if depth == 1:
        one_by_one(handle, reads)
    else:
        in_flight(handle, depth, reads)
    seconds = time.monotonic() - start
    report = {"operations": reads, "seconds": seconds, "cpu": cpu_seconds() - cpu}
    print(json.dumps(report))
    handle.shutdown()


main()
