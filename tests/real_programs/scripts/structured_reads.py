# SPDX-License-Identifier: LGPL-2.1-or-later
# The chunks of a read: data, holes, and the don't-fragment flag.
# server: nbdkit file disk.raw
# server: nbdkit pattern 8M
# server: nbdkit --no-sr file disk.raw
# server: nbdkit data '@0x8000 1 2 3 @0x3fffff 3' size=8M
# server: qemu-nbd --format=raw disk.raw
# server: qemu-nbd --format=qcow2 disk.qcow2
# server: memserver --file disk.raw --read-chunks 4096
# server: memserver --file disk.raw
import hashlib

chunks = []
def chunk(data, offset, status, error):
    chunks.append((offset, len(data), status, hashlib.md5(data).hexdigest()))
    assert error.value == 0

for count, offset in [(65536, 0), (4 << 20, 0), (300000, 1000000), (4096, (8 << 20) - 4096),
                      (1, 0), (512, 2 << 20)]:
    for flags in [0, nbd.CMD_FLAG_DF] if h.can_df() else [0]:
        chunks.clear()
        try:
            data = h.pread_structured(count, offset, chunk, flags)
            print(count, offset, flags, hashlib.md5(data).hexdigest())
            assert data == h.pread(count, offset)
        except nbd.Error as error:
            print(count, offset, flags, error)
        print(sorted(chunks))

# An error from the callback is the error of the command.
def failing(data, offset, status, error):
    error.value = 28
    return -1
try:
    h.pread_structured(512, 0, failing)
except nbd.Error as error:
    print(error.string, error.errno)
print(h.aio_is_ready())
