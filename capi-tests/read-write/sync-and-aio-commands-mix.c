/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A synchronous command waits for its own reply only, and handles the replies
 * to aio commands that arrive before it.
 * Source: libnbd(3), "Synchronous and asynchronous calls".
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M", "--shuffle", "3");
  struct record records[5] = { { .result = 0 } };
  char bufs[5][512], buf[512];

  for (int i = 0; i < 5; ++i)
    CHECK (nbd_aio_pread (h, bufs[i], 512, i * 512, COMPLETION (&records[i]), 0)
           == i + 1);
  CHECK (nbd_pread (h, buf, sizeof buf, 65536, 0) == 0);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 7);
  CHECK (nbd_pwrite (h, buf, sizeof buf, 65536, 0) == 0);
  wait_for_all (h);
  for (int i = 0; i < 5; ++i) {
    CHECK_RECORD (records[i], "C");
    CHECK (nbd_aio_command_completed (h, i + 1) == 1);
  }
  CHECK (nbd_aio_command_completed (h, 6) == 0);
  CHECK (nbd_aio_command_completed (h, 7) == 1);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  nbd_close (h);
  return 0;
}
