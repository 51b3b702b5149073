# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit memory 1M
# server: qemu-nbd --format=raw disk.raw
# server: memserver --size 1M
other = nbd.NBD()
other.connect_uri('@URI@')
print(h.can_multi_conn(), other.can_multi_conn())
h.pwrite(b'seen by the other' * 100, 0)
h.flush()
print(other.pread(1700, 0) == b'seen by the other' * 100)
other.zero(4096, 0)
other.flush()
print(h.pread(4096, 0) == bytes(4096))
