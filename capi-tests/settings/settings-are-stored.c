/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every setting reads back as it was set, and does not affect the others.
 *
 * Source: the page of each getter and setter.
 */
#include "../harness/harness.h"

#define CHECK_FLAG(name) \
  do { \
    CHECK (nbd_set_##name (h, false) == 0); \
    CHECK (nbd_get_##name (h) == 0); \
    CHECK (nbd_set_##name (h, true) == 0); \
    CHECK (nbd_get_##name (h) == 1); \
  } while (0)

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  uint32_t flags;

  CHECK_FLAG (request_block_size);
  CHECK_FLAG (full_info);
  CHECK_FLAG (tls_verify_peer);
  CHECK_FLAG (request_extended_headers);
  CHECK_FLAG (request_structured_replies);
  CHECK_FLAG (request_meta_context);
  CHECK_FLAG (pread_initialize);
  CHECK_FLAG (opt_mode);

  /* Extended headers imply structured replies, but neither setter changes the
   * other setting.
   */
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_get_request_extended_headers (h) == 1);

  for (flags = 0; flags <= LIBNBD_HANDSHAKE_FLAG_MASK; ++flags) {
    CHECK (nbd_set_handshake_flags (h, flags) == 0);
    CHECK (nbd_get_handshake_flags (h) == flags);
  }
  for (flags = 0; flags <= LIBNBD_STRICT_MASK; ++flags) {
    CHECK (nbd_set_strict_mode (h, flags) == 0);
    CHECK (nbd_get_strict_mode (h) == flags);
  }
  CHECK (nbd_set_export_name (h, "disk/\xc3\xa9") == 0);
  CHECK_STRING (nbd_get_export_name (h), "disk/\xc3\xa9");
  CHECK (nbd_set_socket_activation_name (h, "Name1") == 0);
  CHECK_STRING (nbd_get_socket_activation_name (h), "Name1");
  CHECK (nbd_set_socket_activation_name (h, "") == 0);
  CHECK_STRING (nbd_get_socket_activation_name (h), "");

  CHECK (nbd_set_uri_allow_transports (h, LIBNBD_ALLOW_TRANSPORT_TCP) == 0);
  CHECK (nbd_set_uri_allow_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  CHECK (nbd_set_uri_allow_tls_priority (h, true) == 0);
  CHECK (nbd_set_uri_allow_local_file (h, true) == 0);
  nbd_close (h);
  return 0;
}
