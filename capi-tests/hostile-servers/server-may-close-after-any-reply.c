/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If a server closes after some replies, the answered commands succeed, the
 * others fail with ENOTCONN, and the handle is closed.
 * Source: nbd_aio_is_closed(3).
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M", "--close-after-requests",
                                    "3");
  char byte;

  for (int i = 0; i < 3; ++i)
    CHECK (nbd_pread (h, &byte, 1, i, 0) == 0);
  CHECK (nbd_pread (h, &byte, 1, 0, 0) == -1);
  CHECK (nbd_aio_is_closed (h) == 1 || nbd_aio_is_dead (h) == 1);
  CHECK (nbd_aio_is_ready (h) == 0);
  nbd_close (h);
  return 0;
}
