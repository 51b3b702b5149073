# SPDX-License-Identifier: LGPL-2.1-or-later
# shutdown, abandoned commands, close, and what comes after.
# server: nbdkit --filter=delay memory 1M rdelay=1
# server: memserver --size 1M --delay 300
cookie = h.aio_pread(nbd.Buffer(512), 0)
print('in flight', h.aio_in_flight())
h.shutdown()
print(h.aio_is_closed(), h.aio_in_flight())
try:
    print(h.aio_command_completed(cookie))
except nbd.Error as error:
    print(error.string, error.errno)

h = nbd.NBD()
h.connect_unix('@SOCKET@')
cookies = [h.aio_pread(nbd.Buffer(512), 0) for i in range(3)]
print(h.aio_in_flight())
del h
print('closed')
