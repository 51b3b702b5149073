# SPDX-License-Identifier: LGPL-2.1-or-later
# The errors for a peer that is no NBD server, or stops being one.
import socket, struct, threading

# The bytes go out at once, the reply when the request of a read has come.
def talk(greeting, reply=b'', use=lambda h: print(h.get_size())):
    ours, theirs = socket.socketpair()
    def serve():
        theirs.sendall(greeting)
        if reply:
            theirs.recv(28, socket.MSG_WAITALL)
            theirs.sendall(reply)
        theirs.shutdown(socket.SHUT_WR)
    server = threading.Thread(target=serve)
    server.start()
    h = nbd.NBD()
    try:
        h.connect_socket(ours.detach())
        print('connected', h.get_protocol())
        use(h)
    except nbd.Error as error:
        # Error texts and errno differ between versions of the library here.
        print(error.string.split(':')[0])
    print(h.connection_state().split(':')[0])
    del h
    server.join()
    theirs.close()

def read(h):
    print(h.pread(512, 0) == b'x' * 512)

NBDMAGIC, IHAVEOPT, OLDSTYLE = b'NBDMAGIC', b'IHAVEOPT', struct.pack('>Q', 0x420281861253)
print('--- nothing'); talk(b'')
print('--- half a magic'); talk(b'NBDM')
print('--- another protocol'); talk(b'SSH-2.0-OpenSSH_9.2p1\r\n' + b' ' * 100)
print('--- a wrong version'); talk(NBDMAGIC + b'wrong!!!' + b'\0' * 200)
print('--- oldstyle cut short'); talk(NBDMAGIC + OLDSTYLE + b'\0' * 100)
print('--- oldstyle, then nothing')
oldstyle = NBDMAGIC + OLDSTYLE + struct.pack('>QI', 1 << 20, 1) + b'\0' * 124
talk(oldstyle)
def reply(magic, error, data=b''):
    return struct.pack('>IIQ', magic, error, 1) + data
for what, bytes in [('with a wrong magic', reply(0x12345678, 0)),
                    ('to a command that was never sent', struct.pack('>IIQ', 0x67446698, 0, 999)),
                    ('with half its header', reply(0x67446698, 0)[:8]),
                    ('with less data than asked for', reply(0x67446698, 0, b'x' * 100)),
                    ('as it should be', reply(0x67446698, 0, b'x' * 512)),
                    ('that is an error', reply(0x67446698, 28)),
                    ('that is an unknown error', reply(0x67446698, 12345))]:
    print('--- oldstyle, then a reply', what)
    talk(oldstyle, bytes, read)
print('--- newstyle cut short'); talk(NBDMAGIC + IHAVEOPT)
print('--- newstyle, then nothing'); talk(NBDMAGIC + IHAVEOPT + b'\0\3')
print('--- newstyle, then an option reply with a wrong magic')
talk(NBDMAGIC + IHAVEOPT + b'\0\3' + b'\0' * 40)
print('--- newstyle that is not fixed')
talk(NBDMAGIC + IHAVEOPT + b'\0\0' + struct.pack('>QH', 1 << 20, 1) + b'\0' * 124)
