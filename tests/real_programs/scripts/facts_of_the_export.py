# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit memory 1M
# server: nbdkit --readonly pattern 3000
# server: nbdkit --no-sr file disk.raw
# server: nbdkit --oldstyle memory 1M
# server: nbdkit --mask-handshake=0 memory 1M
# server: nbdkit --filter=blocksize-policy memory 1M blocksize-minimum=512 blocksize-preferred=4096 blocksize-maximum=64K
# server: qemu-nbd --format=qcow2 --bitmap=bitmap0 --allocation-depth disk.qcow2
# server: memserver --size 1M --read-only --rotational --description 'A disk' --canonical-name disk
# server: memserver --size 1M --no-flush --no-fua --no-trim --no-zero --no-fast-zero --no-df --no-multi-conn --no-cache
# options: --opt-mode
def report(name, *arguments):
    try:
        print(name, arguments, getattr(h, name)(*arguments))
    except nbd.Error as error:
        print(name, arguments, error.string, error.errno)

h.set_full_info(True)
h.add_meta_context(nbd.CONTEXT_BASE_ALLOCATION)
h.add_meta_context('qemu:dirty-bitmap:bitmap0')
h.add_meta_context('no:such')
h.connect_unix('@SOCKET@')
report('get_size')
if h.aio_is_negotiating():
    report('opt_go')
for name in ['get_size', 'is_read_only', 'is_rotational', 'can_cache', 'can_df',
             'can_fast_zero', 'can_flush', 'can_fua', 'can_multi_conn', 'can_trim',
             'can_zero', 'get_protocol', 'get_tls_negotiated',
             'get_structured_replies_negotiated', 'get_canonical_export_name',
             'get_export_description', 'get_uri', 'get_nr_meta_contexts',
             'aio_get_direction', 'aio_in_flight']:
    report(name)
for size in [nbd.SIZE_MINIMUM, nbd.SIZE_PREFERRED, nbd.SIZE_MAXIMUM]:
    report('get_block_size', size)
for i in range(4):
    report('get_meta_context', i)
for context in ['base:allocation', 'qemu:dirty-bitmap:bitmap0', 'no:such', 'never:asked']:
    report('can_meta_context', context)
