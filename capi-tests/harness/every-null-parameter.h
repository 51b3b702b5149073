/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every pointer parameter after the handle that must not be NULL, with the
 * handle states that allow the function, the name of the parameter, and a call
 * that passes NULL for it.  Included where NULL_PARAMETER is defined.  The words
 * in capitals are in call-arguments.h.
 */
NULL_PARAMETER (nbd_set_handle_name, ANY, handle_name,
                nbd_set_handle_name (h, NULL))
NULL_PARAMETER (nbd_set_export_name, CREATED | NEGOTIATING, export_name,
                nbd_set_export_name (h, NULL))
NULL_PARAMETER (nbd_set_tls_certificates, CREATED, dir,
                nbd_set_tls_certificates (h, NULL))
NULL_PARAMETER (nbd_set_tls_username, CREATED, username,
                nbd_set_tls_username (h, NULL))
NULL_PARAMETER (nbd_set_tls_hostname, CREATED, hostname,
                nbd_set_tls_hostname (h, NULL))
NULL_PARAMETER (nbd_set_tls_psk_file, CREATED, filename,
                nbd_set_tls_psk_file (h, NULL))
NULL_PARAMETER (nbd_set_tls_priority, CREATED, priority,
                nbd_set_tls_priority (h, NULL))
NULL_PARAMETER (nbd_opt_list_meta_context_queries, NEGOTIATING, queries,
                nbd_opt_list_meta_context_queries (h, NULL, CONTEXT))
NULL_PARAMETER (nbd_opt_set_meta_context_queries, NEGOTIATING, queries,
                nbd_opt_set_meta_context_queries (h, NULL, CONTEXT))
NULL_PARAMETER (nbd_add_meta_context, CREATED | NEGOTIATING, name,
                nbd_add_meta_context (h, NULL))
NULL_PARAMETER (nbd_connect_uri, CREATED, uri, nbd_connect_uri (h, NULL))
NULL_PARAMETER (nbd_connect_unix, CREATED, unixsocket,
                nbd_connect_unix (h, NULL))
NULL_PARAMETER (nbd_connect_tcp, CREATED, hostname,
                nbd_connect_tcp (h, NULL, "1"))
NULL_PARAMETER (nbd_connect_tcp, CREATED, port,
                nbd_connect_tcp (h, "localhost", NULL))
NULL_PARAMETER (nbd_connect_command, CREATED, argv,
                nbd_connect_command (h, NULL))
NULL_PARAMETER (nbd_connect_systemd_socket_activation, CREATED, argv,
                nbd_connect_systemd_socket_activation (h, NULL))
NULL_PARAMETER (nbd_set_socket_activation_name, CREATED, socket_name,
                nbd_set_socket_activation_name (h, NULL))
NULL_PARAMETER (nbd_can_meta_context, NEGOTIATING | CONNECTED | CLOSED,
                metacontext, nbd_can_meta_context (h, NULL))
NULL_PARAMETER (nbd_pread, CONNECTED, buf,
                nbd_pread (h, NULL, sizeof BUFFER, 0, 0))
NULL_PARAMETER (nbd_pread_structured, CONNECTED, buf,
                nbd_pread_structured (h, NULL, sizeof BUFFER, 0, CHUNK, 0))
NULL_PARAMETER (nbd_pwrite, CONNECTED, buf,
                nbd_pwrite (h, NULL, sizeof BUFFER, 0, 0))
NULL_PARAMETER (nbd_block_status_filter, CONNECTED, contexts,
                nbd_block_status_filter (h, sizeof BUFFER, 0, NULL, EXTENT64,
                                         0))
NULL_PARAMETER (nbd_aio_connect, CREATED, addr,
                nbd_aio_connect (h, NULL, ADDRESS_LENGTH))
NULL_PARAMETER (nbd_aio_connect_uri, CREATED, uri,
                nbd_aio_connect_uri (h, NULL))
NULL_PARAMETER (nbd_aio_connect_unix, CREATED, unixsocket,
                nbd_aio_connect_unix (h, NULL))
NULL_PARAMETER (nbd_aio_connect_tcp, CREATED, hostname,
                nbd_aio_connect_tcp (h, NULL, "1"))
NULL_PARAMETER (nbd_aio_connect_tcp, CREATED, port,
                nbd_aio_connect_tcp (h, "localhost", NULL))
NULL_PARAMETER (nbd_aio_connect_command, CREATED, argv,
                nbd_aio_connect_command (h, NULL))
NULL_PARAMETER (nbd_aio_connect_systemd_socket_activation, CREATED, argv,
                nbd_aio_connect_systemd_socket_activation (h, NULL))
NULL_PARAMETER (nbd_aio_opt_list_meta_context_queries, NEGOTIATING, queries,
                nbd_aio_opt_list_meta_context_queries (h, NULL, CONTEXT,
                                                       COMPLETION))
NULL_PARAMETER (nbd_aio_opt_set_meta_context_queries, NEGOTIATING, queries,
                nbd_aio_opt_set_meta_context_queries (h, NULL, CONTEXT,
                                                      COMPLETION))
NULL_PARAMETER (nbd_aio_pread, CONNECTED, buf,
                nbd_aio_pread (h, NULL, sizeof BUFFER, 0, COMPLETION, 0))
NULL_PARAMETER (nbd_aio_pread_structured, CONNECTED, buf,
                nbd_aio_pread_structured (h, NULL, sizeof BUFFER, 0, CHUNK,
                                          COMPLETION, 0))
NULL_PARAMETER (nbd_aio_pwrite, CONNECTED, buf,
                nbd_aio_pwrite (h, NULL, sizeof BUFFER, 0, COMPLETION, 0))
NULL_PARAMETER (nbd_aio_block_status_filter, CONNECTED, contexts,
                nbd_aio_block_status_filter (h, sizeof BUFFER, 0, NULL,
                                             EXTENT64, COMPLETION, 0))
NULL_PARAMETER (nbd_is_uri, ANY, uri, nbd_is_uri (h, NULL))
