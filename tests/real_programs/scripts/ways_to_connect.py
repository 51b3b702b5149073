# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit pattern 4096
# options: -n
import os, socket, struct

def facts(h):
    try:
        uri = h.get_uri()
    except nbd.Error as error:
        uri = error.string
    print(h.get_size(), h.get_protocol(), uri, h.pread(16, 8))

print('connect_unix')
h = nbd.NBD()
h.connect_unix('@SOCKET@')
facts(h)

print('connect_socket')
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect('@SOCKET@')
h = nbd.NBD()
h.connect_socket(s.detach())
facts(h)

print('aio_connect')
h = nbd.NBD()
try:
    h.aio_connect('@SOCKET@')
    while h.aio_is_connecting():
        h.poll(-1)
    facts(h)
except (nbd.Error, NotImplementedError, RuntimeError) as error:
    print(error)

print('aio_connect_uri')
h = nbd.NBD()
h.aio_connect_uri('@URI@')
while h.aio_is_connecting():
    h.poll(-1)
facts(h)

print('aio_connect_socket')
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect('@SOCKET@')
h = nbd.NBD()
h.aio_connect_socket(s.detach())
while h.aio_is_connecting():
    h.poll(-1)
facts(h)

for function in ['connect_command', 'connect_systemd_socket_activation']:
    print(function)
    command = ['nbdkit', 'pattern', '4096', '--exit-with-parent']
    if function == 'connect_command':
        command += ['-s']
    h = nbd.NBD()
    getattr(h, function)(command)
    facts(h)
    print(h.kill_subprocess(0))
    del h
print('aio_connect_command')
h = nbd.NBD()
h.aio_connect_command(['nbdkit', 'pattern', '4096', '--exit-with-parent', '-s'])
while h.aio_is_connecting():
    h.poll(-1)
facts(h)
print('aio_connect_systemd_socket_activation')
h = nbd.NBD()
h.aio_connect_systemd_socket_activation(['qemu-nbd', '--format=raw', '/dev/null'])
while h.aio_is_connecting():
    h.poll(-1)
print(h.get_size())
del h

print('what does not work')
for name, arguments in [('connect_unix', ('/no/such/socket',)),
                        ('connect_unix', ('x' * 200,)),
                        ('connect_command', (['false'],)),
                        ('connect_command', ([],)),
                        ('connect_systemd_socket_activation', ([],)),
                        ('connect_socket', (-1,)),
                        ('connect_socket', (os.open('/dev/null', os.O_RDWR),))]:
    h = nbd.NBD()
    try:
        getattr(h, name)(*arguments)
        print(name, 'connected')
    except nbd.Error as error:
        print(name, repr(arguments)[:60], error.string.split(':')[0], error.errno)
    # A descriptor that is not a socket may be rejected before or after the
    # handle has taken it.
    if name != 'connect_socket':
        print(h.connection_state().split(':')[0])
