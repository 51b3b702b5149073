/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Before connecting, the handshake flags are those that the client would use,
 * afterwards those of both sides.  Without fixed newstyle the only option is
 * the export name: the others fail with ENOTSUP and leave negotiation open.
 *
 * Source: nbd_set_handshake_flags(3), nbd_get_handshake_flags(3),
 * nbd_get_protocol(3).
 */
#include "../harness/ignored-lists.h"

static void
check_newstyle (struct nbd_handle *h, uint32_t flags)
{
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (nbd_get_handshake_flags (h) == flags);
  CHECK (strcmp (nbd_get_protocol (h), "newstyle") == 0);
  CHECK (nbd_get_structured_replies_negotiated (h) == 0);
  CHECK_ERROR (nbd_opt_info (h), ENOTSUP);
  CHECK_ERROR (nbd_opt_list (h, LIST), ENOTSUP);
  CHECK_ERROR (nbd_opt_structured_reply (h), ENOTSUP);
  CHECK_ERROR (nbd_opt_extended_headers (h), ENOTSUP);
  CHECK_ERROR (nbd_opt_list_meta_context (h, CONTEXT), ENOTSUP);
  CHECK_ERROR (nbd_opt_set_meta_context (h, CONTEXT), ENOTSUP);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  CHECK (nbd_get_handshake_flags (h) == flags);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

int
main (void)
{
  struct nbd_handle *h;

  h = connected ("--size", "1M");
  CHECK (nbd_get_handshake_flags (h) == LIBNBD_HANDSHAKE_FLAG_MASK);
  CHECK (strcmp (nbd_get_protocol (h), "newstyle-fixed") == 0);
  nbd_close (h);

  h = connected ("--no-zeroes-flag-off");
  CHECK (nbd_get_handshake_flags (h) == LIBNBD_HANDSHAKE_FLAG_FIXED_NEWSTYLE);
  nbd_close (h);

  h = in_opt_mode (nbd_create ());
  CHECK (nbd_set_handshake_flags (h, LIBNBD_HANDSHAKE_FLAG_NO_ZEROES) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  check_newstyle (h, LIBNBD_HANDSHAKE_FLAG_NO_ZEROES);

  h = in_opt_mode (nbd_create ());
  CHECK (nbd_set_handshake_flags (h, 0) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  check_newstyle (h, 0);

  h = in_opt_mode (nbd_create ());
  CHECK (nbd_set_handshake_flags (h, LIBNBD_HANDSHAKE_FLAG_FIXED_NEWSTYLE)
         == 0);
  connect_handle (h, server_command ("--newstyle", "--size", "1M"));
  check_newstyle (h, 0);
  return 0;
}
