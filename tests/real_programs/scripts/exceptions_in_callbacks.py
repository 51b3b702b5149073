# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit file disk.raw
# server: memserver --file disk.raw
# options: --base-allocation -u @URI@
def chunk(data, offset, status, error):
    raise Exception('from the chunk callback')
def extent(context, offset, entries, error):
    raise Exception('from the extent callback')
for call in [lambda: h.pread_structured(512, 0, chunk), lambda: h.block_status(512, 0, extent)]:
    try:
        call()
    except nbd.Error as error:
        print(error.string, error.errno)
print(h.aio_is_ready(), len(h.pread(512, 0)))
