/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When the server falls silent, nbd_poll with a timeout returns 0 and the
 * program can give up: nbd_close does not wait for replies.
 * Source: nbd_poll(3), nbd_close(3).
 */
#include "../harness/commands.h"

static void
stall (char *after)
{
  struct nbd_handle *h = connected ("--size", "1M", "--no-holes",
                                    "--stall-after", after);
  struct record record = { .result = 0 };
  static char buf[65536];

  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, COMPLETION (&record), 0) == 1);
  while (nbd_poll (h, 100) == 1)
    ;
  CHECK (nbd_poll (h, 0) == 0);
  CHECK (nbd_aio_in_flight (h) == 1);
  CHECK (nbd_aio_command_completed (h, 1) == 0);
  CHECK_RECORD (record, "");
  nbd_close (h);
  CHECK_RECORD (record, "Cc");
  CHECK (record.error == ENOTCONN);
}

int
main (void)
{
  stall ("300");
  stall ("20000");
  return 0;
}
