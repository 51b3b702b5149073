/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every function that takes a handle, with the handle states that allow it
 * (libnbd(3) and the page of each function) and a call that is harmless in any
 * state.  Included where FUNCTION is defined: one line of the program for each.
 * The words in capitals are in call-arguments.h.
 */
FUNCTION (nbd_set_debug, ANY, nbd_set_debug (h, false))
FUNCTION (nbd_get_debug, ANY, nbd_get_debug (h))
FUNCTION (nbd_set_debug_callback, ANY, nbd_set_debug_callback (h, DEBUG))
FUNCTION (nbd_clear_debug_callback, ANY, nbd_clear_debug_callback (h))
FUNCTION (nbd_stats_bytes_sent, ANY, nbd_stats_bytes_sent (h))
FUNCTION (nbd_stats_chunks_sent, ANY, nbd_stats_chunks_sent (h))
FUNCTION (nbd_stats_bytes_received, ANY, nbd_stats_bytes_received (h))
FUNCTION (nbd_stats_chunks_received, ANY, nbd_stats_chunks_received (h))
FUNCTION (nbd_set_handle_name, ANY, nbd_set_handle_name (h, "name"))
FUNCTION (nbd_get_handle_name, ANY, RELEASED (nbd_get_handle_name (h)))
FUNCTION (nbd_set_private_data, ANY, nbd_set_private_data (h, 0))
FUNCTION (nbd_get_private_data, ANY, nbd_get_private_data (h))
FUNCTION (nbd_get_handle_size, ANY, nbd_get_handle_size (h))
FUNCTION (nbd_set_export_name, CREATED | NEGOTIATING,
          nbd_set_export_name (h, ""))
FUNCTION (nbd_get_export_name, ANY, RELEASED (nbd_get_export_name (h)))
FUNCTION (nbd_set_request_block_size, CREATED | NEGOTIATING,
          nbd_set_request_block_size (h, true))
FUNCTION (nbd_get_request_block_size, ANY, nbd_get_request_block_size (h))
FUNCTION (nbd_set_full_info, CREATED | NEGOTIATING, nbd_set_full_info (h, true))
FUNCTION (nbd_get_full_info, ANY, nbd_get_full_info (h))
FUNCTION (nbd_get_canonical_export_name, NEGOTIATING | CONNECTED | CLOSED,
          RELEASED (nbd_get_canonical_export_name (h)))
FUNCTION (nbd_get_export_description, NEGOTIATING | CONNECTED | CLOSED,
          RELEASED (nbd_get_export_description (h)))
FUNCTION (nbd_set_tls, CREATED, nbd_set_tls (h, LIBNBD_TLS_DISABLE))
FUNCTION (nbd_get_tls, ANY, nbd_get_tls (h))
FUNCTION (nbd_get_tls_negotiated, NEGOTIATING | CONNECTED | CLOSED,
          nbd_get_tls_negotiated (h))
FUNCTION (nbd_set_tls_certificates, CREATED,
          nbd_set_tls_certificates (h, "/nonexistent"))
FUNCTION (nbd_set_tls_verify_peer, CREATED, nbd_set_tls_verify_peer (h, true))
FUNCTION (nbd_get_tls_verify_peer, ANY, nbd_get_tls_verify_peer (h))
FUNCTION (nbd_set_tls_username, CREATED, nbd_set_tls_username (h, "user"))
FUNCTION (nbd_get_tls_username, ANY, RELEASED (nbd_get_tls_username (h)))
FUNCTION (nbd_set_tls_hostname, CREATED, nbd_set_tls_hostname (h, "localhost"))
FUNCTION (nbd_get_tls_hostname, ANY, RELEASED (nbd_get_tls_hostname (h)))
FUNCTION (nbd_set_tls_psk_file, CREATED,
          nbd_set_tls_psk_file (h, "/nonexistent"))
FUNCTION (nbd_set_tls_priority, CREATED, nbd_set_tls_priority (h, "NORMAL"))
FUNCTION (nbd_get_tls_priority, ANY, RELEASED (nbd_get_tls_priority (h)))
FUNCTION (nbd_set_request_extended_headers, CREATED,
          nbd_set_request_extended_headers (h, true))
FUNCTION (nbd_get_request_extended_headers, ANY,
          nbd_get_request_extended_headers (h))
FUNCTION (nbd_get_extended_headers_negotiated, NEGOTIATING | CONNECTED | CLOSED,
          nbd_get_extended_headers_negotiated (h))
FUNCTION (nbd_set_request_structured_replies, CREATED,
          nbd_set_request_structured_replies (h, true))
FUNCTION (nbd_get_request_structured_replies, ANY,
          nbd_get_request_structured_replies (h))
FUNCTION (nbd_get_structured_replies_negotiated,
          NEGOTIATING | CONNECTED | CLOSED,
          nbd_get_structured_replies_negotiated (h))
FUNCTION (nbd_set_request_meta_context, CREATED | NEGOTIATING,
          nbd_set_request_meta_context (h, true))
FUNCTION (nbd_get_request_meta_context, ANY, nbd_get_request_meta_context (h))
FUNCTION (nbd_set_handshake_flags, CREATED, nbd_set_handshake_flags (h, 0))
FUNCTION (nbd_get_handshake_flags, ANY, nbd_get_handshake_flags (h))
FUNCTION (nbd_set_pread_initialize, ANY, nbd_set_pread_initialize (h, true))
FUNCTION (nbd_get_pread_initialize, ANY, nbd_get_pread_initialize (h))
FUNCTION (nbd_set_strict_mode, ANY, nbd_set_strict_mode (h, 0))
FUNCTION (nbd_get_strict_mode, ANY, nbd_get_strict_mode (h))
FUNCTION (nbd_set_opt_mode, CREATED, nbd_set_opt_mode (h, true))
FUNCTION (nbd_get_opt_mode, ANY, nbd_get_opt_mode (h))
FUNCTION (nbd_opt_go, NEGOTIATING, nbd_opt_go (h))
FUNCTION (nbd_opt_abort, NEGOTIATING, nbd_opt_abort (h))
FUNCTION (nbd_opt_starttls, NEGOTIATING, nbd_opt_starttls (h))
FUNCTION (nbd_opt_extended_headers, NEGOTIATING, nbd_opt_extended_headers (h))
FUNCTION (nbd_opt_structured_reply, NEGOTIATING, nbd_opt_structured_reply (h))
FUNCTION (nbd_opt_list, NEGOTIATING, nbd_opt_list (h, LIST))
FUNCTION (nbd_opt_info, NEGOTIATING, nbd_opt_info (h))
FUNCTION (nbd_opt_list_meta_context, NEGOTIATING,
          nbd_opt_list_meta_context (h, CONTEXT))
FUNCTION (nbd_opt_list_meta_context_queries, NEGOTIATING,
          nbd_opt_list_meta_context_queries (h, CONTEXTS, CONTEXT))
FUNCTION (nbd_opt_set_meta_context, NEGOTIATING,
          nbd_opt_set_meta_context (h, CONTEXT))
FUNCTION (nbd_opt_set_meta_context_queries, NEGOTIATING,
          nbd_opt_set_meta_context_queries (h, CONTEXTS, CONTEXT))
FUNCTION (nbd_add_meta_context, CREATED | NEGOTIATING,
          nbd_add_meta_context (h, "base:allocation"))
FUNCTION (nbd_get_nr_meta_contexts, ANY, nbd_get_nr_meta_contexts (h))
FUNCTION (nbd_get_meta_context, ANY, RELEASED (nbd_get_meta_context (h, 0)))
FUNCTION (nbd_clear_meta_contexts, CREATED | NEGOTIATING,
          nbd_clear_meta_contexts (h))
FUNCTION (nbd_set_uri_allow_transports, CREATED,
          nbd_set_uri_allow_transports (h, LIBNBD_ALLOW_TRANSPORT_MASK))
FUNCTION (nbd_set_uri_allow_tls, CREATED,
          nbd_set_uri_allow_tls (h, LIBNBD_TLS_DISABLE))
FUNCTION (nbd_set_uri_allow_tls_priority, CREATED,
          nbd_set_uri_allow_tls_priority (h, false))
FUNCTION (nbd_set_uri_allow_local_file, CREATED,
          nbd_set_uri_allow_local_file (h, false))
FUNCTION (nbd_connect_uri, CREATED,
          nbd_connect_uri (h, "nbd+unix:///?socket=/nonexistent/socket"))
FUNCTION (nbd_connect_unix, CREATED,
          nbd_connect_unix (h, "/nonexistent/socket"))
FUNCTION (nbd_connect_vsock, CREATED, nbd_connect_vsock (h, 1, 1))
FUNCTION (nbd_connect_tcp, CREATED, nbd_connect_tcp (h, "localhost", "1"))
FUNCTION (nbd_connect_socket, CREATED, nbd_connect_socket (h, -1))
FUNCTION (nbd_connect_command, CREATED, nbd_connect_command (h, COMMAND))
FUNCTION (nbd_connect_systemd_socket_activation, CREATED,
          nbd_connect_systemd_socket_activation (h, COMMAND))
FUNCTION (nbd_set_socket_activation_name, CREATED,
          nbd_set_socket_activation_name (h, "name"))
FUNCTION (nbd_get_socket_activation_name, ANY,
          RELEASED (nbd_get_socket_activation_name (h)))
FUNCTION (nbd_is_read_only, NEGOTIATING | CONNECTED | CLOSED,
          nbd_is_read_only (h))
FUNCTION (nbd_can_flush, NEGOTIATING | CONNECTED | CLOSED, nbd_can_flush (h))
FUNCTION (nbd_can_fua, NEGOTIATING | CONNECTED | CLOSED, nbd_can_fua (h))
FUNCTION (nbd_is_rotational, NEGOTIATING | CONNECTED | CLOSED,
          nbd_is_rotational (h))
FUNCTION (nbd_can_trim, NEGOTIATING | CONNECTED | CLOSED, nbd_can_trim (h))
FUNCTION (nbd_can_zero, NEGOTIATING | CONNECTED | CLOSED, nbd_can_zero (h))
FUNCTION (nbd_can_fast_zero, NEGOTIATING | CONNECTED | CLOSED,
          nbd_can_fast_zero (h))
FUNCTION (nbd_can_block_status_payload, NEGOTIATING | CONNECTED | CLOSED,
          nbd_can_block_status_payload (h))
FUNCTION (nbd_can_df, NEGOTIATING | CONNECTED | CLOSED, nbd_can_df (h))
FUNCTION (nbd_can_multi_conn, NEGOTIATING | CONNECTED | CLOSED,
          nbd_can_multi_conn (h))
FUNCTION (nbd_can_cache, NEGOTIATING | CONNECTED | CLOSED, nbd_can_cache (h))
FUNCTION (nbd_can_meta_context, NEGOTIATING | CONNECTED | CLOSED,
          nbd_can_meta_context (h, "base:allocation"))
FUNCTION (nbd_get_protocol, NEGOTIATING | CONNECTED | CLOSED,
          FOUND (nbd_get_protocol (h)))
FUNCTION (nbd_get_size, NEGOTIATING | CONNECTED | CLOSED, nbd_get_size (h))
FUNCTION (nbd_get_block_size, NEGOTIATING | CONNECTED | CLOSED,
          nbd_get_block_size (h, 0))
FUNCTION (nbd_pread, CONNECTED, nbd_pread (h, BUFFER, sizeof BUFFER, 0, 0))
FUNCTION (nbd_pread_structured, CONNECTED,
          nbd_pread_structured (h, BUFFER, sizeof BUFFER, 0, CHUNK, 0))
FUNCTION (nbd_pwrite, CONNECTED, nbd_pwrite (h, BUFFER, sizeof BUFFER, 0, 0))
FUNCTION (nbd_shutdown, NEGOTIATING | CONNECTED, nbd_shutdown (h, 0))
FUNCTION (nbd_flush, CONNECTED, nbd_flush (h, 0))
FUNCTION (nbd_trim, CONNECTED, nbd_trim (h, sizeof BUFFER, 0, 0))
FUNCTION (nbd_cache, CONNECTED, nbd_cache (h, sizeof BUFFER, 0, 0))
FUNCTION (nbd_zero, CONNECTED, nbd_zero (h, sizeof BUFFER, 0, 0))
FUNCTION (nbd_block_status, CONNECTED,
          nbd_block_status (h, sizeof BUFFER, 0, EXTENT, 0))
FUNCTION (nbd_block_status_64, CONNECTED,
          nbd_block_status_64 (h, sizeof BUFFER, 0, EXTENT64, 0))
FUNCTION (nbd_block_status_filter, CONNECTED,
          nbd_block_status_filter (h, sizeof BUFFER, 0, CONTEXTS, EXTENT64, 0))
FUNCTION (nbd_poll, ANY, nbd_poll (h, 0))
FUNCTION (nbd_poll2, ANY, nbd_poll2 (h, -1, 0))
FUNCTION (nbd_aio_connect, CREATED,
          nbd_aio_connect (h, ADDRESS, ADDRESS_LENGTH))
FUNCTION (nbd_aio_connect_uri, CREATED,
          nbd_aio_connect_uri (h, "nbd+unix:///?socket=/nonexistent/socket"))
FUNCTION (nbd_aio_connect_unix, CREATED,
          nbd_aio_connect_unix (h, "/nonexistent/socket"))
FUNCTION (nbd_aio_connect_vsock, CREATED, nbd_aio_connect_vsock (h, 1, 1))
FUNCTION (nbd_aio_connect_tcp, CREATED,
          nbd_aio_connect_tcp (h, "localhost", "1"))
FUNCTION (nbd_aio_connect_socket, CREATED, nbd_aio_connect_socket (h, -1))
FUNCTION (nbd_aio_connect_command, CREATED,
          nbd_aio_connect_command (h, COMMAND))
FUNCTION (nbd_aio_connect_systemd_socket_activation, CREATED,
          nbd_aio_connect_systemd_socket_activation (h, COMMAND))
FUNCTION (nbd_aio_opt_go, NEGOTIATING, nbd_aio_opt_go (h, COMPLETION))
FUNCTION (nbd_aio_opt_abort, NEGOTIATING, nbd_aio_opt_abort (h))
FUNCTION (nbd_aio_opt_starttls, NEGOTIATING,
          nbd_aio_opt_starttls (h, COMPLETION))
FUNCTION (nbd_aio_opt_extended_headers, NEGOTIATING,
          nbd_aio_opt_extended_headers (h, COMPLETION))
FUNCTION (nbd_aio_opt_structured_reply, NEGOTIATING,
          nbd_aio_opt_structured_reply (h, COMPLETION))
FUNCTION (nbd_aio_opt_list, NEGOTIATING, nbd_aio_opt_list (h, LIST, COMPLETION))
FUNCTION (nbd_aio_opt_info, NEGOTIATING, nbd_aio_opt_info (h, COMPLETION))
FUNCTION (nbd_aio_opt_list_meta_context, NEGOTIATING,
          nbd_aio_opt_list_meta_context (h, CONTEXT, COMPLETION))
FUNCTION (nbd_aio_opt_list_meta_context_queries, NEGOTIATING,
          nbd_aio_opt_list_meta_context_queries (h, CONTEXTS, CONTEXT,
                                                 COMPLETION))
FUNCTION (nbd_aio_opt_set_meta_context, NEGOTIATING,
          nbd_aio_opt_set_meta_context (h, CONTEXT, COMPLETION))
FUNCTION (nbd_aio_opt_set_meta_context_queries, NEGOTIATING,
          nbd_aio_opt_set_meta_context_queries (h, CONTEXTS, CONTEXT,
                                                COMPLETION))
FUNCTION (nbd_aio_pread, CONNECTED,
          nbd_aio_pread (h, BUFFER, sizeof BUFFER, 0, COMPLETION, 0))
FUNCTION (nbd_aio_pread_structured, CONNECTED,
          nbd_aio_pread_structured (h, BUFFER, sizeof BUFFER, 0, CHUNK,
                                    COMPLETION, 0))
FUNCTION (nbd_aio_pwrite, CONNECTED,
          nbd_aio_pwrite (h, BUFFER, sizeof BUFFER, 0, COMPLETION, 0))
FUNCTION (nbd_aio_disconnect, CONNECTED, nbd_aio_disconnect (h, 0))
FUNCTION (nbd_aio_flush, CONNECTED, nbd_aio_flush (h, COMPLETION, 0))
FUNCTION (nbd_aio_trim, CONNECTED,
          nbd_aio_trim (h, sizeof BUFFER, 0, COMPLETION, 0))
FUNCTION (nbd_aio_cache, CONNECTED,
          nbd_aio_cache (h, sizeof BUFFER, 0, COMPLETION, 0))
FUNCTION (nbd_aio_zero, CONNECTED,
          nbd_aio_zero (h, sizeof BUFFER, 0, COMPLETION, 0))
FUNCTION (nbd_aio_block_status, CONNECTED,
          nbd_aio_block_status (h, sizeof BUFFER, 0, EXTENT, COMPLETION, 0))
FUNCTION (nbd_aio_block_status_64, CONNECTED,
          nbd_aio_block_status_64 (h, sizeof BUFFER, 0, EXTENT64, COMPLETION,
                                   0))
FUNCTION (nbd_aio_block_status_filter, CONNECTED,
          nbd_aio_block_status_filter (h, sizeof BUFFER, 0, CONTEXTS, EXTENT64,
                                       COMPLETION, 0))
FUNCTION (nbd_aio_get_fd, ANY, nbd_aio_get_fd (h))
FUNCTION (nbd_aio_get_direction, ANY, nbd_aio_get_direction (h))
FUNCTION (nbd_aio_notify_read, ANY, nbd_aio_notify_read (h))
FUNCTION (nbd_aio_notify_write, ANY, nbd_aio_notify_write (h))
FUNCTION (nbd_aio_is_created, ANY, nbd_aio_is_created (h))
FUNCTION (nbd_aio_is_connecting, ANY, nbd_aio_is_connecting (h))
FUNCTION (nbd_aio_is_negotiating, ANY, nbd_aio_is_negotiating (h))
FUNCTION (nbd_aio_is_ready, ANY, nbd_aio_is_ready (h))
FUNCTION (nbd_aio_is_processing, ANY, nbd_aio_is_processing (h))
FUNCTION (nbd_aio_is_dead, ANY, nbd_aio_is_dead (h))
FUNCTION (nbd_aio_is_closed, ANY, nbd_aio_is_closed (h))
FUNCTION (nbd_aio_command_completed, ANY, nbd_aio_command_completed (h, 1))
FUNCTION (nbd_aio_peek_command_completed, ANY,
          nbd_aio_peek_command_completed (h))
FUNCTION (nbd_aio_in_flight, CONNECTED | CLOSED | DEAD, nbd_aio_in_flight (h))
FUNCTION (nbd_connection_state, ANY, FOUND (nbd_connection_state (h)))
FUNCTION (nbd_get_package_name, ANY, FOUND (nbd_get_package_name (h)))
FUNCTION (nbd_get_version, ANY, FOUND (nbd_get_version (h)))
FUNCTION (nbd_get_version_extra, ANY, FOUND (nbd_get_version_extra (h)))
FUNCTION (nbd_kill_subprocess, ANY, nbd_kill_subprocess (h, 0))
FUNCTION (nbd_get_subprocess_pid, ANY, nbd_get_subprocess_pid (h))
FUNCTION (nbd_supports_tls, ANY, nbd_supports_tls (h))
FUNCTION (nbd_supports_vsock, ANY, nbd_supports_vsock (h))
FUNCTION (nbd_supports_uri, ANY, nbd_supports_uri (h))
FUNCTION (nbd_get_uri, CONNECTING | NEGOTIATING | CONNECTED | CLOSED | DEAD,
          RELEASED (nbd_get_uri (h)))
FUNCTION (nbd_is_uri, ANY,
          nbd_is_uri (h, "nbd+unix:///?socket=/nonexistent/socket"))
