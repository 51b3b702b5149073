/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_close only frees a command that has completed and was never retired: its
 * completion callback is not called again.
 * Source: libnbd(3), "Errors in callbacks": exactly once.
 * (libnbd 1.24.4 calls it a second time, with ENOTCONN.)
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");
  struct record record = { .result = 0 };

  CHECK (nbd_aio_flush (h, COMPLETION (&record), 0) > 0);
  wait_for_all (h);
  CHECK_RECORD (record, "C");
  CHECK (record.error == 0);
  nbd_close (h);
  CHECK_RECORD (record, "Cc");
  CHECK (record.error == 0);
  return 0;
}
