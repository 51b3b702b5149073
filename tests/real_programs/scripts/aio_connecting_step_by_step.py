# SPDX-License-Identifier: LGPL-2.1-or-later
# A program with a loop of its own: the descriptor, the direction, the states.
# server: nbdkit memory 1M
# server: nbdkit --oldstyle memory 1M
# server: qemu-nbd --format=raw disk.raw
# options: -n
import select

h = nbd.NBD()
print(h.aio_is_created(), h.connection_state().split(':')[0])
h.aio_connect_unix('@SOCKET@')

def wait_until(done):
    while not done():
        poll = select.poll()
        direction = h.aio_get_direction()
        events = 0
        if direction & nbd.AIO_DIRECTION_READ:
            events |= select.POLLIN
        if direction & nbd.AIO_DIRECTION_WRITE:
            events |= select.POLLOUT
        poll.register(h.aio_get_fd(), events)
        for _, ready in poll.poll(10000):
            # One notification may change what the other one would mean.
            if ready & select.POLLIN and direction & nbd.AIO_DIRECTION_READ:
                h.aio_notify_read()
            elif ready & select.POLLOUT and direction & nbd.AIO_DIRECTION_WRITE:
                h.aio_notify_write()

wait_until(lambda: not h.aio_is_connecting())
print(h.aio_is_ready(), h.aio_is_dead(), h.connection_state().split(':')[0], h.get_size())
print('idle', h.aio_get_direction() == nbd.AIO_DIRECTION_READ, h.poll(0))
buffer = nbd.Buffer.from_bytearray(bytearray(b'hello' * 1000))
cookie = h.aio_pwrite(buffer, 10)
wait_until(lambda: h.aio_command_completed(cookie))
buffer = nbd.Buffer(5000)
cookie = h.aio_pread(buffer, 10)
wait_until(lambda: h.aio_command_completed(cookie))
print(buffer.to_bytearray() == b'hello' * 1000, h.aio_in_flight())
h.aio_disconnect()
wait_until(lambda: h.aio_is_closed() or h.aio_is_dead())
print(h.aio_is_closed(), h.connection_state().split(':')[0])
