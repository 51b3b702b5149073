# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit --filter=error memory 1M error=EPERM error-rate=100%
# server: nbdkit --filter=error memory 1M error=EIO error-rate=100%
# server: nbdkit --filter=error memory 1M error=ENOMEM error-rate=100%
# server: nbdkit --filter=error memory 1M error=EINVAL error-rate=100%
# server: nbdkit --filter=error memory 1M error=ENOSPC error-rate=100%
# server: nbdkit --filter=error memory 1M error=ESHUTDOWN error-rate=100%
# server: nbdkit --no-sr --filter=error memory 1M error=ENOSPC error-rate=100%
# server: memserver --size 1M --error READ=EIO --error WRITE=ENOSPC --error TRIM=EPERM --error WRITE_ZEROES=ENOTSUP --error FLUSH=ESHUTDOWN --error CACHE=ENOMEM --error BLOCK_STATUS=EINVAL
# options: --base-allocation -u @URI@
def report(name, *arguments):
    try:
        print(name, getattr(h, name)(*arguments))
    except nbd.Error as error:
        print(name, error.string, error.errno)

def chunk(data, offset, status, error):
    print('chunk', len(data), offset, status, error.value)

def completion(error):
    print('completion', error.value)

report('pread', 512, 0)
report('pwrite', b'x' * 512, 0)
report('zero', 512, 0)
report('trim', 512, 0)
report('cache', 512, 0)
report('flush')
report('pread_structured', 512, 512, chunk)
if h.can_meta_context(nbd.CONTEXT_BASE_ALLOCATION):
    report('block_status', 512, 0, lambda *a: print('extent', a))
for issue in [lambda: h.aio_pread(nbd.Buffer(512), 0, completion),
              lambda: h.aio_pwrite(nbd.Buffer(512), 0, completion),
              lambda: h.aio_flush(completion)]:
    cookie = issue()
    while h.aio_in_flight() > 0:
        h.poll(-1)
    report('aio_command_completed', cookie)
print(h.connection_state().split(':')[0], h.aio_is_ready())
