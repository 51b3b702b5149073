/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Flush and cache are acknowledged by the server, with one small request and
 * one small reply each, and do not change the content.
 * Source: nbd_flush(3), nbd_cache(3).
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");
  char before[512], after[512];
  uint64_t sent;

  CHECK (nbd_pwrite (h, "data", 4, 100, 0) == 0);
  CHECK (nbd_pread (h, before, sizeof before, 0, 0) == 0);
  sent = nbd_stats_bytes_sent (h);
  CHECK (nbd_flush (h, 0) == 0);
  CHECK (nbd_cache (h, 512, 0, 0) == 0);
  CHECK (nbd_cache (h, MIB, 0, 0) == 0);
  CHECK (nbd_stats_bytes_sent (h) - sent <= 3 * 32);
  CHECK (nbd_pread (h, after, sizeof after, 0, 0) == 0);
  CHECK (memcmp (before, after, sizeof before) == 0);
  nbd_close (h);
  return 0;
}
