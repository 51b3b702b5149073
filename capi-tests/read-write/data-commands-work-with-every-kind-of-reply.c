/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Simple replies, structured replies and extended headers, on oldstyle and
 * newstyle servers: the same calls give the same results.
 * Source: proto.md, "Transmission".
 */
#include "../harness/commands.h"

static void
use (struct nbd_handle *h, int structured, int extended)
{
  char got[8192];

  CHECK (nbd_get_structured_replies_negotiated (h) == structured);
  CHECK (nbd_get_extended_headers_negotiated (h) == extended);
  CHECK (nbd_get_size (h) == (int64_t) MIB);
  CHECK (nbd_pwrite (h, "content", 7, 4094, LIBNBD_CMD_FLAG_FUA) == 0);
  CHECK (nbd_flush (h, 0) == 0);
  CHECK (nbd_cache (h, 8192, 0, 0) == 0);
  CHECK (nbd_pread (h, got, sizeof got, 0, 0) == 0);
  CHECK (memcmp (got + 4094, "content", 7) == 0);
  CHECK (got[4093] == 0 && got[4101] == 0);
  CHECK (nbd_zero (h, 4, 4094, 0) == 0);
  CHECK (nbd_pread (h, got, sizeof got, 0, 0) == 0);
  CHECK (memcmp (got + 4094, "\0\0\0\0ent", 7) == 0);
  CHECK (nbd_trim (h, 4096, 65536, 0) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

int
main (void)
{
  use (connected ("--size", "1M"), 1, 1);
  use (connected ("--size", "1M", "--no-extended-headers"), 1, 0);
  use (connected ("--size", "1M", "--no-structured-replies"), 0, 0);
  use (connected ("--size", "1M", "--no-go"), 1, 0);
  use (connected ("--size", "1M", "--newstyle"), 0, 0);
  use (connected ("--size", "1M", "--oldstyle"), 0, 0);
  use (connected ("--size", "1M", "--no-extended-headers", "--simple-acks"), 1,
       0);
  use (connected ("--size", "1M", "--read-chunks", "7", "--reverse-chunks"), 1,
       1);
  use (connected ("--size", "1M", "--byte-at-a-time"), 1, 1);
  return 0;
}
