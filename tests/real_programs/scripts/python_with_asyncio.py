# SPDX-License-Identifier: LGPL-2.1-or-later
# program: python3
# server: nbdkit memory 8M
# server: nbdkit --filter=delay memory 8M rdelay=2ms wdelay=2ms
# server: qemu-nbd --format=raw disk.raw
# server: memserver --size 8M --shuffle 8
# A connection in the loop of asyncio, and commands that are awaited.
import asyncio, gc, hashlib, nbd

class Connection:
    def __init__(self, loop, uri):
        self.h, self.loop, self.watched = nbd.NBD(), loop, None
        self.h.aio_connect_uri(uri)

    def watch(self):
        direction = self.h.aio_get_direction()
        wanted = (self.h.aio_get_fd() if direction else -1, direction)
        if wanted == self.watched:
            return
        self.forget()
        fd, direction = self.watched = wanted
        if direction & nbd.AIO_DIRECTION_READ:
            self.loop.add_reader(fd, self.ready, self.h.aio_notify_read)
        if direction & nbd.AIO_DIRECTION_WRITE:
            self.loop.add_writer(fd, self.ready, self.h.aio_notify_write)

    def forget(self):
        if self.watched and self.watched[0] != -1:
            self.loop.remove_reader(self.watched[0])
            self.loop.remove_writer(self.watched[0])
        self.watched = None

    def ready(self, notify):
        direction = self.h.aio_get_direction()
        if notify == self.h.aio_notify_write and not direction & nbd.AIO_DIRECTION_WRITE:
            return
        notify()
        self.watch()

    async def connected(self):
        while self.h.aio_is_connecting():
            self.watch()
            await asyncio.sleep(0.001)
        self.watch()

    async def command(self, issue, *arguments):
        future = self.loop.create_future()
        def completion(error):
            future.set_result(error.value)
            return 1
        cookie = issue(*arguments, completion)
        self.watch()
        return await future

async def main():
    connection = Connection(asyncio.get_running_loop(), '@URI@')
    await connection.connected()
    h, block, count = connection.h, 65536, 64
    print(h.get_size() >= block * count)
    data = [nbd.Buffer.from_bytearray(bytearray([i + 1]) * block) for i in range(count)]
    writes = [connection.command(h.aio_pwrite, d, i * block) for i, d in enumerate(data)]
    del data
    gc.collect()
    print('errors of writes', set(await asyncio.gather(*writes)))
    print('error of flush', await connection.command(h.aio_flush))
    buffers = [nbd.Buffer(block) for i in range(count)]
    reads = [connection.command(h.aio_pread, b, i * block) for i, b in enumerate(buffers)]
    print('errors of reads', set(await asyncio.gather(*reads)))
    digest = hashlib.sha256(b''.join(bytes(b.to_bytearray()) for b in buffers))
    print(digest.hexdigest())
    print([b.to_bytearray() == bytearray([i + 1]) * block for i, b in enumerate(buffers)].count(True))
    print('in flight', h.aio_in_flight())
    connection.forget()
    h.shutdown()

asyncio.run(asyncio.wait_for(main(), 30))
