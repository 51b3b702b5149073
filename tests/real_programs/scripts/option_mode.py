# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit memory 1M
# server: nbdkit file dir=exports
# server: nbdkit --filter=exportname memory 1M exportname-list=explicit exportname=one exportname=two 'exportdesc=fixed:A disk'
# server: nbdkit --filter=exportname memory 1M exportname-list=error
# server: nbdkit --mask-handshake=0 memory 1M
# server: nbdkit --no-sr memory 1M
# server: qemu-nbd --format=qcow2 --export-name=disk '--description=A disk' --bitmap=bitmap0 --allocation-depth disk.qcow2
# server: memserver --export one --size 1M --description 'The first' --export two --size 2M --context x:y=512:1
# server: memserver --size 1M --no-info
# server: memserver --size 1M --no-list
# server: memserver --size 1M --no-meta-context
# options: --opt-mode -u @URI@
def report(name, *arguments):
    try:
        print(name, [a for a in arguments if not callable(a)], getattr(h, name)(*arguments))
        return True
    except nbd.Error as error:
        # Error texts differ between versions of the library.
        print(name, error.string.split(':')[0], error.errno)
        return False

def listed(name, description):
    print('   ', repr(name), repr(description))
def context(name):
    print('   ', repr(name))

print(h.aio_is_negotiating(), h.connection_state().split(':')[0])
if h.aio_is_negotiating():
    report('get_size')
    report('opt_list', listed)
    report('opt_list_meta_context', context)
    for query in ['base:', 'qemu:', 'x:y', 'no:such', 'base:allocation']:
        h.clear_meta_contexts()
        h.add_meta_context(query)
        report('opt_list_meta_context', context)
    h.set_full_info(True)
    for export in ['nothing', 'two', 'disk', '', 'one']:
        report('set_export_name', export)
        known = report('opt_info')
        for fact in ['get_size', 'is_read_only', 'can_trim', 'get_canonical_export_name',
                     'get_export_description']:
            report(fact)
        # Before an export is known, some versions of the library do not report
        # that it lacks a context.
        if known:
            report('can_meta_context', 'base:allocation')
        report('get_block_size', nbd.SIZE_PREFERRED)
    report('set_export_name', 'nothing')
    report('opt_go')
    print(h.aio_is_negotiating(), h.aio_is_ready(), h.aio_is_dead(), h.aio_is_closed())
if h.aio_is_negotiating():
    for export in ['', 'two', 'disk']:
        report('set_export_name', export)
        report('opt_go')
        if h.aio_is_ready():
            break
report('get_size')
if h.aio_is_ready():
    report('can_meta_context', 'base:allocation')
print(h.aio_is_ready(), h.get_protocol())
