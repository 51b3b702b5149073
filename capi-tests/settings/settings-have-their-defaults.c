/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A new handle has the documented defaults.
 *
 * Source: the page of each getter and setter.
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h;

  unsetenv ("LIBNBD_DEBUG");
  h = nbd_create ();
  CHECK (nbd_get_debug (h) == 0);
  CHECK_STRING (nbd_get_export_name (h), "");
  CHECK (nbd_get_request_block_size (h) == 1);
  CHECK (nbd_get_full_info (h) == 0);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_DISABLE);
  CHECK (nbd_get_tls_verify_peer (h) == 1);
  CHECK_STRING (nbd_get_tls_hostname (h), "");
  CHECK_STRING (nbd_get_tls_priority (h), "NORMAL");
  CHECK (nbd_get_request_extended_headers (h) == 1);
  CHECK (nbd_get_request_structured_replies (h) == 1);
  CHECK (nbd_get_request_meta_context (h) == 1);
  CHECK (nbd_get_handshake_flags (h) == LIBNBD_HANDSHAKE_FLAG_MASK);
  CHECK (nbd_get_pread_initialize (h) == 1);
  CHECK (nbd_get_strict_mode (h) == LIBNBD_STRICT_MASK);
  CHECK (nbd_get_opt_mode (h) == 0);
  CHECK (nbd_get_nr_meta_contexts (h) == 0);
  CHECK_STRING (nbd_get_socket_activation_name (h), "");
  nbd_close (h);
  return 0;
}
