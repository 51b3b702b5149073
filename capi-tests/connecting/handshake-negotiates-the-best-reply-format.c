/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* By default a connection uses extended headers; if the server or the handle
 * does not support them, structured replies; otherwise simple replies.
 *
 * Source: nbd_set_request_extended_headers(3),
 * nbd_set_request_structured_replies(3).
 */
#include "../harness/harness.h"

static void
check (char **server, bool extended, bool structured, int expect_extended,
       int expect_structured)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_request_extended_headers (h, extended) == 0);
  CHECK (nbd_set_request_structured_replies (h, structured) == 0);
  connect_handle (h, server);
  CHECK (nbd_get_extended_headers_negotiated (h) == expect_extended);
  CHECK (nbd_get_structured_replies_negotiated (h) == expect_structured);
  CHECK (nbd_can_df (h) == expect_structured);
  CHECK (nbd_get_request_extended_headers (h) == extended);
  CHECK (nbd_get_request_structured_replies (h) == structured);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

int
main (void)
{
  char **all = server_command ("--size", "1M");
  char **compact = server_command ("--no-extended-headers");
  char **simple = server_command ("--no-structured-replies");

  check (all, true, true, 1, 1);
  check (all, false, true, 0, 1);
  check (all, true, false, 0, 0);
  check (all, false, false, 0, 0);
  check (compact, true, true, 0, 1);
  check (simple, true, true, 0, 0);
  return 0;
}
