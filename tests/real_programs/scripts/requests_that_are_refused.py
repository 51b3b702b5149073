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

def report(name, *arguments):
    try:
        result = getattr(h, name)(*arguments)
        print(name, shown(arguments), result if name != 'pread' else len(result))
    except nbd.Error as error:
        print(name, shown(arguments), error.string, error.errno)

size = h.get_size()
def all(strict):
    print('---')
    h.set_strict_mode(strict)
    report('pread', 512, size)
    report('pread', 1024, size - 512)
    report('pread', 512, 1 << 62)
    report('pread', 0, 0)
    report('pread', 100, 0)
    report('pread', 512, 100)
    report('pread', 131072, 0)
    report('pread', 512, 0, nbd.CMD_FLAG_DF)
    report('pread', 512, 0, nbd.CMD_FLAG_FUA)
    report('pwrite', b'x' * 512, size)
    report('pwrite', b'', 0)
    report('pwrite', b'x' * 100, 0)
    report('pwrite', b'x' * 512, 0)
    report('pwrite', b'x' * 512, 0, nbd.CMD_FLAG_DF)
    report('pwrite', b'x' * 512, 0, nbd.CMD_FLAG_FUA)
    report('zero', 512, size)
    report('zero', 0, 0)
    report('zero', 512, 0)
    report('trim', 512, size)
    report('trim', 512, 0)
    report('cache', 512, size)
    report('cache', 512, 0)
    report('flush')
    report('flush', nbd.CMD_FLAG_FUA)
    report('block_status', 512, 0, ignore)

all(h.get_strict_mode())
all(nbd.STRICT_COMMANDS | nbd.STRICT_FLAGS)
all(nbd.STRICT_COMMANDS)
print(h.aio_is_ready())
