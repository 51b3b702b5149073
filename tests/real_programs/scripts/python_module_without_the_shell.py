# SPDX-License-Identifier: LGPL-2.1-or-later
# program: python3
# server: nbdkit file disk.raw
# server: nbdkit --no-sr file disk.raw
# server: qemu-nbd --format=qcow2 --bitmap=bitmap0 disk.qcow2
# server: memserver --file disk.raw --read-chunks 4096
# The module alone: sync calls, callbacks, buffers, and what the collector does.
import gc, hashlib, nbd, sys, threading, weakref

h = nbd.NBD()
h.add_meta_context(nbd.CONTEXT_BASE_ALLOCATION)
h.add_meta_context('qemu:dirty-bitmap:bitmap0')
h.connect_uri('@URI@')
size = h.get_size()
print(size, h.is_read_only(), h.get_protocol(), h.get_package_name())
print(hashlib.sha256(b''.join(bytes(h.pread(1 << 20, offset)) for offset in range(0, size, 1 << 20))).hexdigest())

h.pwrite(b'written by Python', 4096)
h.flush()
print(bytes(h.pread(17, 4096)))

for context in [nbd.CONTEXT_BASE_ALLOCATION, 'qemu:dirty-bitmap:bitmap0']:
    if h.can_meta_context(context):
        def extents(name, offset, entries, error):
            if name == context:
                print(name, offset, entries)
        h.block_status(size, 0, extents)

chunks = []
def chunk(data, offset, status, error):
    gc.collect()
    chunks.append((offset, len(data), status, error.value, hashlib.md5(data).hexdigest()))
h.pread_structured(1 << 18, 1 << 20, chunk)
for line in sorted(chunks):
    print(line)

class Marker:
    pass
marker = Marker()
alive = weakref.ref(marker)
def completion(error, marker=marker):
    print('completed', error.value)
    return 1
b = nbd.Buffer(512)
h.aio_pread(b, 0, completion)
del marker, completion
gc.collect()
print('kept while in flight', alive() is not None)
while h.aio_in_flight():
    h.poll(-1)
gc.collect()
print('freed afterwards', alive() is None)

for call in [lambda: h.pread(512, size), lambda: h.pread(512, -1), lambda: h.connect_uri('@URI@'),
             lambda: h.pwrite('text', 0), lambda: h.block_status(512, 0, None)]:
    try:
        call()
        print('no error')
    except nbd.Error as error:
        print(error.string.split(':')[0], error.errno)
    except (TypeError, OverflowError) as error:
        print(type(error).__name__)

results = []
def work(n):
    mine = nbd.NBD()
    mine.connect_uri('@URI@')
    sums = [hashlib.md5(mine.pread(65536, n * 65536)).hexdigest() for _ in range(8)]
    results.append((n, len(set(sums)), sums[0]))
    mine.shutdown()
threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
[t.start() for t in threads]
[t.join() for t in threads]
for line in sorted(results):
    print(line)
h.shutdown()
try:
    h.pread(512, 0)
except nbd.Error as error:
    print(error.errno)
sys.stdout.flush()
