# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit pattern 1M
import array

b = nbd.Buffer(4096)
print(len(b), b.is_zero(), b.size())
b = nbd.Buffer.from_bytearray(bytearray(4096))
print(len(b), b.is_zero(), b.is_zero(100, 100))
cookie = h.aio_pread(b, 4096)
while not h.aio_command_completed(cookie):
    h.poll(-1)
print(b.is_zero(), bytes(b.to_bytearray()[:32]))
for wrong in [0, 'text']:
    try:
        print(len(nbd.Buffer(wrong)))
    except (nbd.Error, RuntimeError, TypeError, MemoryError) as error:
        print(type(error).__name__, error)
data = h.pread(64, 0)
print(type(data).__name__, data)
print(h.pread_structured(64, 64, lambda *a: print(bytes(a[0]), a[1], a[2])))
h.set_pread_initialize(False)
print(h.pread(16, 128))
try:
    h.pwrite(b'pattern is read-only', 0)
except nbd.Error as error:
    print(error)
