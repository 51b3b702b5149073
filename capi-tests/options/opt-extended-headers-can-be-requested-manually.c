/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With the automatic request off, the program can negotiate extended headers
 * itself; they imply structured replies.  A refusal is false, not an error.
 *
 * Source: nbd_opt_extended_headers(3), nbd_get_extended_headers_negotiated(3),
 * nbd_set_request_extended_headers(3).
 */
#include "../harness/harness.h"

static struct nbd_handle *
by_hand (char **server)
{
  struct nbd_handle *h = in_opt_mode (nbd_create ());

  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  return connect_handle (h, server);
}

int
main (void)
{
  struct nbd_handle *h = by_hand (server_command ("--size", "1M"));

  CHECK (nbd_get_extended_headers_negotiated (h) == 0);
  CHECK (nbd_opt_extended_headers (h) == 1);
  CHECK (nbd_get_extended_headers_negotiated (h) == 1);
  CHECK (nbd_get_structured_replies_negotiated (h) == 1);
  CHECK (nbd_opt_extended_headers (h) != -1);
  CHECK (nbd_opt_structured_reply (h) != -1);
  CHECK (nbd_get_extended_headers_negotiated (h) == 1);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_can_block_status_payload (h) != -1);
  nbd_close (h);

  h = by_hand (server_command ("--no-extended-headers"));
  CHECK (nbd_opt_extended_headers (h) == 0);
  CHECK (nbd_get_extended_headers_negotiated (h) == 0);
  CHECK (nbd_get_structured_replies_negotiated (h) == 0);
  nbd_close (h);
  return 0;
}
