# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit file dir=exports
# server: qemu-nbd --format=raw --export-name=two disk.raw
# server: memserver --export one --size 1M --export two --size 2M
# options: -n
h = nbd.NBD()
h.set_opt_mode(True)
h.aio_connect_unix('@SOCKET@')
while h.aio_is_connecting():
    h.poll(-1)
print(h.aio_is_negotiating(), h.connection_state().split(':')[0])

def wait():
    while h.aio_is_connecting():
        h.poll(-1)
def completion(error):
    print('completion', error.value)
    return 1

h.aio_opt_list(lambda name, description: print('list', name, description), completion)
wait()
h.aio_opt_list_meta_context(lambda name: print('context', name), completion)
wait()
h.set_export_name('nothing')
h.aio_opt_info(completion)
wait()
h.set_export_name('two')
h.add_meta_context('base:allocation')
h.aio_opt_info(completion)
wait()
print(h.get_size(), h.can_meta_context('base:allocation'))
h.aio_opt_go(completion)
wait()
print(h.aio_is_ready(), h.get_size(), h.can_meta_context('base:allocation'))
h = nbd.NBD()
h.set_opt_mode(True)
h.connect_unix('@SOCKET@')
h.aio_opt_abort()
wait()
while not h.aio_is_closed() and not h.aio_is_dead():
    h.poll(-1)
print(h.aio_is_closed(), h.connection_state().split(':')[0])
h = nbd.NBD()
h.set_opt_mode(True)
h.connect_unix('@SOCKET@')
print(h.opt_abort(), h.aio_is_closed())
