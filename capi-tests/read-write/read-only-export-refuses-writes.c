/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Commands that change a read-only export fail with EPERM, and are not sent
 * while STRICT_COMMANDS is on.
 * Source: nbd_pwrite(3), nbd_set_strict_mode(3).
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M", "--read-only");
  uint64_t sent = nbd_stats_bytes_sent (h);
  struct record record = { .result = 0 };

  CHECK (nbd_is_read_only (h) == 1);
  CHECK_ERROR (nbd_pwrite (h, "x", 1, 0, 0), EPERM);
  CHECK_EXACT_MESSAGE ("nbd_pwrite: server does not support write operations: "
                       "Operation not permitted");
  CHECK_ERROR (nbd_aio_pwrite (h, "x", 1, 0, COMPLETION (&record), 0), EPERM);
  CHECK_RECORD (record, "c");
  CHECK (nbd_stats_bytes_sent (h) == sent);
  CHECK (nbd_set_strict_mode (h, 0) == 0);
  CHECK_ERROR (nbd_pwrite (h, "x", 1, 0, 0), EPERM);
  CHECK_MESSAGE ("write: command failed");
  CHECK_ERROR (nbd_zero (h, 1, 0, 0), EPERM);
  CHECK (nbd_stats_bytes_sent (h) > sent);
  nbd_close (h);
  return 0;
}
