/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server without GO is sent EXPORT_NAME instead, with or without the padding
 * after its answer.  INFO has no such fallback.
 *
 * Source: nbd_opt_go(3), nbd_opt_info(3), nbd_set_handshake_flags(3);
 * proto.md, "NBD_OPT_EXPORT_NAME".
 */
#include "../harness/harness.h"

static void
check (struct nbd_handle *h)
{
  char sector[512] = { 1 };

  CHECK (nbd_get_size (h) == 3 << 20);
  CHECK (nbd_can_flush (h) == 1);
  CHECK (nbd_get_structured_replies_negotiated (h) == 1);
  CHECK (strcmp (nbd_get_protocol (h), "newstyle-fixed") == 0);
  CHECK (nbd_get_block_size (h, LIBNBD_SIZE_MINIMUM) == 0);
  CHECK (nbd_get_block_size (h, LIBNBD_SIZE_PAYLOAD) == 32 << 20);
  CHECK (nbd_pread (h, sector, 512, (3 << 20) - 512, 0) == 0);
  CHECK (sector[0] == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

int
main (void)
{
  char **server = server_command ("--no-go", "--export", "disk", "--size", "3M",
                                  "--block-size", "512,4096,1M");
  char **padding = server_command ("--no-go", "--no-zeroes-flag-off",
                                   "--export", "disk", "--size", "3M");
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_export_name (h, "disk") == 0);
  check (connect_handle (h, server));

  h = nbd_create ();
  CHECK (nbd_set_export_name (h, "disk") == 0);
  check (connect_handle (h, padding));

  h = nbd_create ();
  CHECK (nbd_set_handshake_flags (h, LIBNBD_HANDSHAKE_FLAG_FIXED_NEWSTYLE)
         == 0);
  check (connect_handle (h, server));

  h = connect_handle (in_opt_mode (nbd_create ()), server);
  CHECK_ERROR (nbd_opt_info (h), ENOTSUP);
  CHECK (nbd_opt_go (h) == 0);
  check (h);
  return 0;
}
