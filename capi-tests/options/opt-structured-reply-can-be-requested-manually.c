/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With the automatic request off, the program can negotiate structured replies
 * itself.  A second request may be accepted or refused; the agreement stays.
 *
 * Source: nbd_opt_structured_reply(3),
 * nbd_get_structured_replies_negotiated(3).
 */
#include "../harness/harness.h"

static struct nbd_handle *
by_hand (char **server)
{
  struct nbd_handle *h = in_opt_mode (nbd_create ());

  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  connect_handle (h, server);
  CHECK (nbd_get_structured_replies_negotiated (h) == 0);
  CHECK (nbd_get_extended_headers_negotiated (h) == 0);
  return h;
}

int
main (void)
{
  struct nbd_handle *h = by_hand (server_command ("--size", "1M"));

  CHECK (nbd_opt_structured_reply (h) == 1);
  CHECK (nbd_get_structured_replies_negotiated (h) == 1);
  CHECK (nbd_get_extended_headers_negotiated (h) == 0);
  CHECK (nbd_opt_structured_reply (h) != -1);
  CHECK (nbd_get_structured_replies_negotiated (h) == 1);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_can_df (h) == 1);
  nbd_close (h);

  h = by_hand (server_command ("--no-structured-replies"));
  CHECK (nbd_opt_structured_reply (h) == 0);
  CHECK (nbd_get_structured_replies_negotiated (h) == 0);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_can_df (h) == 0);
  nbd_close (h);
  return 0;
}
