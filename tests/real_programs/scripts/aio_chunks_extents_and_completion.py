# SPDX-License-Identifier: LGPL-2.1-or-later
# In which order callbacks are called.
# server: nbdkit file disk.raw
# server: qemu-nbd --format=qcow2 --bitmap=bitmap0 disk.qcow2
# server: memserver --file disk.raw
# options: -n
h = nbd.NBD()
h.add_meta_context('base:allocation')
h.connect_unix('@SOCKET@')

log = []
def chunk(data, offset, status, error):
    log.append('chunk')
def extent(context, offset, entries, error):
    log.append('extent %s %d %r' % (context, offset, entries))
def completion(error):
    log.append('completion %d' % error.value)
    return 1

h.aio_block_status(1 << 20, 0, extent, completion)
while h.aio_in_flight() > 0:
    h.poll(-1)
print(log)
log.clear()
buffer = nbd.Buffer(1 << 20)
h.aio_pread_structured(buffer, 0, chunk, completion)
while h.aio_in_flight() > 0:
    h.poll(-1)
print(set(log[:-1]), log[-1], len(buffer))

def failing(context, offset, entries, error):
    error.value = 12
    log.append('failing')
    return -1
log.clear()
h.aio_block_status(512, 0, failing, completion)
while h.aio_in_flight() > 0:
    h.poll(-1)
print(log)
