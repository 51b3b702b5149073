# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit memory 1M
# server: nbdkit file disk.raw
# server: nbdkit sparse-random 16M seed=1
# server: nbdkit data '@0x8000 1 2 3 @0x3fffff 3' size=8M
# server: qemu-nbd --format=raw disk.raw
# server: qemu-nbd --format=qcow2 --bitmap=bitmap0 --allocation-depth disk.qcow2
# server: qemu-nbd --format=qcow2 --allocation-depth overlay.qcow2
# server: memserver --file disk.raw --context x:y=65536:1,4096:2
# options: -n
h = nbd.NBD()
for context in ['base:allocation', 'qemu:dirty-bitmap:bitmap0', 'qemu:allocation-depth',
                'x:y', 'no:such']:
    h.add_meta_context(context)
h.connect_uri('@URI@')
size = h.get_size()

def extents(context, offset, entries, error):
    print('   ', context, offset, entries, error.value)

def all(flags):
    offset = 0
    while offset < size:
        reached = {}
        def collect(context, start, entries, error):
            extents(context, start, entries, error)
            assert start == offset
            reached[context] = sum(entries[::2])
        h.block_status(size - offset, offset, collect, flags)
        offset += min(reached.values())

print('all of it')
all(0)
print('a part')
h.block_status(1 << 16, 1 << 15, extents)
print('one extent at a time')
h.block_status(size, 0, extents, nbd.CMD_FLAG_REQ_ONE)
h.block_status(4096, size - 4096, extents, nbd.CMD_FLAG_REQ_ONE)

def failing(context, offset, entries, error):
    error.value = 5
    return -1
try:
    h.block_status(4096, 0, failing)
except nbd.Error as error:
    print(error.string, error.errno)
for count, offset in [(4096, size), (0, 0)]:
    try:
        h.block_status(count, offset, extents)
    except nbd.Error as error:
        print(error.string, error.errno)
print('and without a callback that fails')
h.block_status(4096, 0, extents)
