# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit memory 8M
# server: nbdkit --no-sr memory 8M
# server: nbdkit --oldstyle memory 8M
# server: nbdkit --filter=delay memory 8M rdelay=5ms wdelay=1ms
# server: qemu-nbd --format=raw disk.raw
# server: qemu-nbd --format=qcow2 disk.qcow2
# server: memserver --size 8M --shuffle 16
# server: memserver --size 8M --byte-at-a-time
import hashlib

size, block = 4 << 20, 65536
def text(i):
    return bytes([i % 251 + 1]) * block

cookies = {}
for i in range(size // block):
    cookies[h.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(text(i))), i * block)] = i
print('issued', len(cookies), sorted(cookies) == sorted(set(cookies)))
while h.aio_in_flight() > 0:
    h.poll(-1)
print('retired', sum(h.aio_command_completed(cookie) for cookie in cookies))

buffers, done = {}, []
for i in range(size // block):
    buffers[i] = nbd.Buffer(block)
    def completion(error, i=i):
        done.append((i, error.value))
        return 1
    h.aio_pread(buffers[i], i * block, completion)
while h.aio_in_flight() > 0:
    h.poll(-1)
print(sorted(done) == [(i, 0) for i in range(size // block)], h.aio_in_flight())
data = b''.join(bytes(buffers[i].to_bytearray()) for i in range(size // block))
print(hashlib.sha256(data).hexdigest(), data == b''.join(text(i) for i in range(size // block)))
try:
    print(h.aio_peek_command_completed())
except nbd.Error as error:
    print(error.string, error.errno)
