# SPDX-License-Identifier: LGPL-2.1-or-later
# What aio_peek_command_completed and aio_command_completed say, with and without
# completion callbacks that retire a command.
# server: nbdkit memory 1M
# server: memserver --size 1M
def report(name, *arguments):
    try:
        print(name, getattr(h, name)(*arguments))
    except nbd.Error as error:
        print(name, error.string, error.errno)

def wait():
    while h.aio_in_flight() > 0:
        h.poll(-1)

first = h.aio_pread(nbd.Buffer(512), 0)
wait()
report('aio_peek_command_completed')
report('aio_command_completed', first)
report('aio_command_completed', first)
report('aio_command_completed', 0)
report('aio_command_completed', 12345)
report('aio_peek_command_completed')

a = h.aio_flush(lambda error: print('completed', error.value))
wait()
report('aio_peek_command_completed')
report('aio_command_completed', a)

b = h.aio_flush(lambda error: print('completed and retired', error.value) or 1)
wait()
report('aio_command_completed', b)
report('aio_peek_command_completed')

def failing(error):
    error.value = 22
    return -1
c = h.aio_flush(failing)
wait()
report('aio_command_completed', c)
print(h.aio_is_ready())
