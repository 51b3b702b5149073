# SPDX-License-Identifier: LGPL-2.1-or-later
# Every synchronous command, and what a read shows of it afterwards.
# server: nbdkit memory 1M
# server: nbdkit --no-sr memory 1M
# server: nbdkit --oldstyle memory 1M
# server: nbdkit --mask-handshake=0 memory 1M
# server: nbdkit file disk.raw
# server: qemu-nbd --format=raw disk.raw
# server: qemu-nbd --format=qcow2 --discard=unmap disk.qcow2
# server: memserver --size 1M
# server: memserver --size 1M --no-extended-headers
import hashlib

def report(name, *arguments):
    try:
        print(name, arguments[1:], getattr(h, name)(*arguments))
    except nbd.Error as error:
        print(name, arguments[1:], error.string, error.errno)

def look(what):
    data = h.pread(1 << 20, 0)
    print(what, len(data), hashlib.sha256(data).hexdigest())

fua = nbd.CMD_FLAG_FUA if h.can_fua() else 0
look('at first')
report('pwrite', b'one' * 1000, 500)
look('written')
report('pwrite', b'two' * 1000, 2048, fua)
look('written again')
if h.can_flush():
    report('flush')
if h.can_zero():
    report('zero', 4096, 0)
    look('zeroed')
    report('pwrite', b'three' * 2000, 65536)
    report('zero', 4096, 65536, nbd.CMD_FLAG_NO_HOLE)
    report('zero', 4096, 69632, fua)
    look('zeroed again')
if h.can_fast_zero():
    report('zero', 4096, 69632, nbd.CMD_FLAG_FAST_ZERO)
    look('zeroed fast')
if h.can_trim():
    report('trim', 65536, 65536)
    report('trim', 4096, 0, fua)
if h.can_cache():
    report('cache', 65536, 0)
print(h.shutdown(), h.aio_is_closed())
