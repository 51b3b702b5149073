# SPDX-License-Identifier: LGPL-2.1-or-later
# Every setting of a handle that is not connected: as it is at first, as set, and
# what is refused.
def tell(name, *arguments):
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
    tell(name)
tell('set_handle_name', 'a name')
tell('get_handle_name')
tell('set_handle_name', '')
tell('set_private_data', 42)
tell('set_private_data', 43)
tell('get_private_data')
for export in ['disk', '', 'e' * 4096, 'e' * 4097]:
    tell('set_export_name', export)
    print(len(h.get_export_name()))
for flag in [False, True]:
    for setting in ['request_block_size', 'full_info', 'tls_verify_peer',
                    'request_structured_replies', 'pread_initialize', 'opt_mode']:
        tell('set_' + setting, flag)
        tell('get_' + setting)
for tls in [nbd.TLS_DISABLE, nbd.TLS_ALLOW, nbd.TLS_DISABLE, 3, -1]:
    tell('set_tls', tls)
    tell('get_tls')
tell('set_tls_username', 'someone')
tell('get_tls_username')
tell('set_tls_psk_file', '/no/such/file')
tell('set_tls_certificates', '/no/such/directory')
for mask in [0, 1, 2, 3, 4, 0x80000000]:
    tell('set_handshake_flags', mask)
    tell('get_handshake_flags')
for mask in [0, nbd.STRICT_COMMANDS, nbd.STRICT_FLAGS, nbd.STRICT_BOUNDS,
             nbd.STRICT_ZERO_SIZE, nbd.STRICT_ALIGN]:
    tell('set_strict_mode', mask)
    tell('get_strict_mode')
for i in range(3):
    tell('add_meta_context', 'context:%d' % i)
tell('add_meta_context', '')
tell('add_meta_context', 'c' * 4096)
tell('add_meta_context', 'c' * 4097)
tell('get_nr_meta_contexts')
for i in [0, 1, 2, 3]:
    tell('get_meta_context', i)
tell('clear_meta_contexts')
tell('get_nr_meta_contexts')
tell('get_meta_context', 0)
tell('set_uri_allow_transports', nbd.ALLOW_TRANSPORT_TCP)
tell('set_uri_allow_transports', 0x100)
tell('set_uri_allow_tls', nbd.TLS_REQUIRE)
tell('set_uri_allow_tls', 7)
tell('set_uri_allow_local_file', True)
for name in ['supports_uri', 'get_package_name']:
    tell(name)
