# SPDX-License-Identifier: LGPL-2.1-or-later
# What the library refuses itself, and what the server says when strict mode does
# not stand in the way.
# server: nbdkit memory 1M
# server: nbdkit --readonly memory 1M
# server: nbdkit --no-sr memory 1M
# server: nbdkit --filter=blocksize-policy memory 1M blocksize-minimum=512 blocksize-preferred=4096 blocksize-maximum=64K blocksize-error-policy=error
# server: qemu-nbd --format=raw --read-only disk.raw
# server: memserver --size 1M --no-extended-headers --block-size 512,4096,65536
# server: memserver --size 1M --no-extended-headers --no-flush --no-fua --no-trim --no-zero --no-df --no-cache
def ignore(*arguments):
    return 0

def shown(arguments):
    return [a for a in arguments[1:] if a is not ignore]

def tell(name, *arguments):
    try:
        result = getattr(h, name)(*arguments)
        print(name, shown(arguments), result if name != 'pread' else len(result))
    except nbd.Error as error:
        print(name, shown(arguments), error.string, error.errno)

size = h.get_size()
def all(strict):
    print('---')
    h.set_strict_mode(strict)
    tell('pread', 512, size)
    tell('pread', 1024, size - 512)
    tell('pread', 512, 1 << 62)
    tell('pread', 0, 0)
    tell('pread', 100, 0)
    tell('pread', 512, 100)
    tell('pread', 131072, 0)
    tell('pread', 512, 0, nbd.CMD_FLAG_DF)
    tell('pread', 512, 0, nbd.CMD_FLAG_FUA)
    tell('pwrite', b'x' * 512, size)
    tell('pwrite', b'', 0)
    tell('pwrite', b'x' * 100, 0)
    tell('pwrite', b'x' * 512, 0)
    tell('pwrite', b'x' * 512, 0, nbd.CMD_FLAG_DF)
    tell('pwrite', b'x' * 512, 0, nbd.CMD_FLAG_FUA)
    tell('zero', 512, size)
    tell('zero', 0, 0)
    tell('zero', 512, 0)
    tell('trim', 512, size)
    tell('trim', 512, 0)
    tell('cache', 512, size)
    tell('cache', 512, 0)
    tell('flush')
    tell('flush', nbd.CMD_FLAG_FUA)
    tell('block_status', 512, 0, ignore)

all(h.get_strict_mode())
all(nbd.STRICT_COMMANDS | nbd.STRICT_FLAGS)
all(nbd.STRICT_COMMANDS)
print(h.aio_is_ready())
