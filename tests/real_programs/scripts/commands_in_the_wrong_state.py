# SPDX-License-Identifier: LGPL-2.1-or-later
# Every command on a handle that is not connected, then on one that has said goodbye.
# server: nbdkit memory 1M
# options: -n
def report(h, name, *arguments):
    try:
        print(name, getattr(h, name)(*arguments))
    except nbd.Error as error:
        print(name, error.string, error.errno)

def all(h):
    for name in ['get_size', 'is_read_only', 'can_flush', 'can_multi_conn', 'get_protocol',
                 'get_canonical_export_name', 'get_export_description', 'get_uri',
                 'get_tls_negotiated', 'get_structured_replies_negotiated',
                 'opt_go', 'opt_info', 'opt_abort', 'aio_get_fd', 'aio_get_direction',
                 'aio_notify_read', 'aio_notify_write', 'aio_peek_command_completed',
                 'flush', 'aio_flush', 'aio_disconnect', 'aio_opt_go',
                 'aio_in_flight']:
        if h.aio_is_created() or name not in ['get_uri']:
            report(h, name)
    print(h.connection_state().split(':')[0])
    report(h, 'kill_subprocess', 0)
    report(h, 'pread', 512, 0)
    report(h, 'pwrite', b'x' * 512, 0)
    report(h, 'zero', 512, 0)
    report(h, 'trim', 512, 0)
    report(h, 'cache', 512, 0)
    report(h, 'block_status', 512, 0, lambda *a: 0)
    report(h, 'pread_structured', 512, 0, lambda *a: 0)
    report(h, 'aio_pread', nbd.Buffer(512), 0)
    report(h, 'aio_pwrite', nbd.Buffer(512), 0)
    report(h, 'opt_list', lambda *a: 0)
    report(h, 'opt_list_meta_context', lambda *a: 0)
    report(h, 'get_block_size', nbd.SIZE_MINIMUM)
    report(h, 'can_meta_context', 'base:allocation')
    report(h, 'poll', 0)
    report(h, 'aio_command_completed', 1)

h = nbd.NBD()
print('--- created')
all(h)
h.connect_unix('@SOCKET@')
print('--- connected: what comes too late')
report(h, 'connect_unix', '@SOCKET@')
report(h, 'connect_uri', '@URI@')
report(h, 'aio_connect_unix', '@SOCKET@')
report(h, 'set_export_name', 'late')
report(h, 'set_opt_mode', True)
report(h, 'add_meta_context', 'base:allocation')
report(h, 'set_tls', nbd.TLS_ALLOW)
report(h, 'set_request_structured_replies', False)
report(h, 'set_handshake_flags', 0)
report(h, 'opt_go')
report(h, 'aio_notify_write')
h.shutdown()
print('--- closed')
all(h)
report(h, 'connect_unix', '@SOCKET@')
h = nbd.NBD()
try:
    h.connect_unix('/no/such/socket')
except nbd.Error as error:
    print('connect_unix', error.errno)
print('--- dead')
all(h)
