/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replies may arrive one byte at a time: they are reassembled, including large
 * ones and those in many chunks.
 * Source: proto.md (a stream has no message borders).
 */
#include "../harness/commands.h"

static void
read_all (struct nbd_handle *h)
{
  static uint64_t buf[8192];

  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  for (size_t i = 0; i < ITEMS (buf); ++i)
    CHECK (be64toh (buf[i]) == i * 8);
  CHECK (nbd_pwrite (h, buf, sizeof buf, 65536, 0) == 0);
  CHECK (nbd_flush (h, 0) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

int
main (void)
{
  read_all (connected ("--size", "1M", "--pattern", "--byte-at-a-time"));
  read_all (connected ("--size", "1M", "--pattern", "--byte-at-a-time",
                       "--read-chunks", "512", "--no-extended-headers"));
  read_all (connected ("--size", "1M", "--pattern", "--byte-at-a-time",
                       "--no-structured-replies"));
  read_all (connected ("--size", "1M", "--pattern", "--send-size", "1000"));
  return 0;
}
