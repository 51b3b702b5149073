/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With an oldstyle server option mode has no effect: the connection is ready at
 * once.  Its only export has no names, block sizes or contexts.
 *
 * Source: nbd_set_opt_mode(3), nbd_get_protocol(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = in_opt_mode (nbd_create ());
  char bytes[2] = { 'a', 'b' };

  CHECK (nbd_set_full_info (h, true) == 0);
  CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
  connect_handle (h, server_command ("--oldstyle", "--size", "1M"));
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (strcmp (nbd_get_protocol (h), "oldstyle") == 0);
  CHECK (nbd_get_handshake_flags (h) == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  CHECK (nbd_is_read_only (h) == 0);
  CHECK (nbd_get_structured_replies_negotiated (h) == 0);
  CHECK (nbd_get_extended_headers_negotiated (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 0);
  CHECK (nbd_can_df (h) == 0);
  CHECK (nbd_can_meta_context (h, "base:allocation") != 1);
  CHECK_NULL (nbd_get_canonical_export_name (h), ENOTSUP);
  CHECK_NULL (nbd_get_export_description (h), ENOTSUP);
  CHECK (nbd_get_block_size (h, LIBNBD_SIZE_MINIMUM) == 0);
  CHECK_ERROR (nbd_opt_go (h), EINVAL);
  CHECK_ERROR (nbd_opt_abort (h), EINVAL);

  CHECK (nbd_pwrite (h, bytes, 2, 1000, 0) == 0);
  memset (bytes, 0, sizeof bytes);
  CHECK (nbd_pread (h, bytes, 2, 1000, 0) == 0);
  CHECK (memcmp (bytes, "ab", 2) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (nbd_aio_is_closed (h) == 1);
  nbd_close (h);
  return 0;
}
