/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Block status fails with ENOTSUP without structured replies, or without a meta
 * context that was requested and granted.
 * Source: nbd_block_status(3).
 */
#include "../harness/commands.h"

static void
fail_to_ask (struct nbd_handle *h, const char *message)
{
  struct record record = { .result = 0 };

  CHECK_ERROR (nbd_block_status (h, 512, 0, EXTENT (&record), 0), ENOTSUP);
  CHECK_MESSAGE (message);
  CHECK_ERROR (nbd_block_status_64 (h, 512, 0, EXTENT64 (&record), 0), ENOTSUP);
  CHECK_MESSAGE (message);
  CHECK_ERROR (nbd_aio_block_status (h, 512, 0, EXTENT (&record),
                                     COMPLETION (&record), 0),
               ENOTSUP);
  CHECK_RECORD (record, "mmmc");
  nbd_close (h);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  fail_to_ask (connected ("--size", "1M"),
               "did not negotiate any metadata contexts");
  fail_to_ask (connected ("--no-structured-replies"),
               "server does not support structured replies");
  CHECK (nbd_add_meta_context (h, "x:unknown") == 0);
  fail_to_ask (connect_handle (h, server_command ("--size", "1M")),
               "did not negotiate any metadata contexts");
  return 0;
}
