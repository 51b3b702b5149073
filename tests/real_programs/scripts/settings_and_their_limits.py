# SPDX-License-Identifier: LGPL-2.1-or-later
# Every setting of a handle that is not connected: as it is at first, as set, and
# what is refused.
def report(name, *arguments):
    try:
        print(name, repr(arguments)[:100], getattr(h, name)(*arguments))
    except nbd.Error as error:
        print(name, repr(arguments)[:100], error.string, error.errno)

GETTERS = ['get_debug', 'get_handle_name', 'get_private_data', 'get_export_name',
           'get_request_block_size', 'get_full_info', 'get_tls', 'get_tls_verify_peer',
           'get_tls_username', 'get_request_structured_replies',
           'get_handshake_flags', 'get_pread_initialize',
           'get_opt_mode', 'get_nr_meta_contexts']
for name in GETTERS:
    report(name)
report('set_handle_name', 'a name')
report('get_handle_name')
report('set_handle_name', '')
report('set_private_data', 42)
report('set_private_data', 43)
report('get_private_data')
for export in ['disk', '', 'e' * 4096, 'e' * 4097]:
    report('set_export_name', export)
    print(len(h.get_export_name()))
for flag in [False, True]:
    for setting in ['request_block_size', 'full_info', 'tls_verify_peer',
                    'request_structured_replies', 'pread_initialize', 'opt_mode']:
        report('set_' + setting, flag)
        report('get_' + setting)
for tls in [nbd.TLS_DISABLE, nbd.TLS_ALLOW, nbd.TLS_DISABLE, 3, -1]:
    report('set_tls', tls)
    report('get_tls')
report('set_tls_username', 'someone')
report('get_tls_username')
report('set_tls_psk_file', '/no/such/file')
report('set_tls_certificates', '/no/such/directory')
for mask in [0, 1, 2, 3, 4, 0x80000000]:
    report('set_handshake_flags', mask)
    report('get_handshake_flags')
for mask in [0, nbd.STRICT_COMMANDS, nbd.STRICT_FLAGS, nbd.STRICT_BOUNDS,
             nbd.STRICT_ZERO_SIZE, nbd.STRICT_ALIGN]:
    report('set_strict_mode', mask)
    report('get_strict_mode')
for i in range(3):
    report('add_meta_context', 'context:%d' % i)
report('add_meta_context', '')
report('add_meta_context', 'c' * 4096)
report('add_meta_context', 'c' * 4097)
report('get_nr_meta_contexts')
for i in [0, 1, 2, 3]:
    report('get_meta_context', i)
report('clear_meta_contexts')
report('get_nr_meta_contexts')
report('get_meta_context', 0)
report('set_uri_allow_transports', nbd.ALLOW_TRANSPORT_TCP)
report('set_uri_allow_transports', 0x100)
report('set_uri_allow_tls', nbd.TLS_REQUIRE)
report('set_uri_allow_tls', 7)
report('set_uri_allow_local_file', True)
for name in ['supports_uri', 'get_package_name']:
    report(name)
