/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The counters give the number of bytes, and of messages that begin with a
 * magic number, in each direction.
 * Source: libnbd(3), "Statistics"; the numbers follow from the lengths
 * in proto.md.
 */
#include "../harness/commands.h"

struct counters {
  uint64_t bytes_sent, chunks_sent, bytes_got, chunks_got;
};

static struct counters
counters (struct nbd_handle *h)
{
  return (struct counters) {
    nbd_stats_bytes_sent (h),
    nbd_stats_chunks_sent (h),
    nbd_stats_bytes_received (h),
    nbd_stats_chunks_received (h),
  };
}

static void
check_growth (struct nbd_handle *h, struct counters *before,
              uint64_t bytes_sent, uint64_t chunks_sent, uint64_t bytes_got,
              uint64_t chunks_got)
{
  struct counters now = counters (h);

  CHECK (now.bytes_sent - before->bytes_sent == bytes_sent);
  CHECK (now.chunks_sent - before->chunks_sent == chunks_sent);
  CHECK (now.bytes_got - before->bytes_got == bytes_got);
  CHECK (now.chunks_got - before->chunks_got == chunks_got);
  *before = now;
}

static void
count (char *option, unsigned request, unsigned reply)
{
  struct nbd_handle *h = nbd_create ();
  struct counters before = counters (h);
  char buf[512];
  unsigned offset = reply == 16
                        ? 0
                        : 8; /* length of the offset before structured data */

  CHECK (before.bytes_sent == 0 && before.chunks_sent == 0);
  CHECK (before.bytes_got == 0 && before.chunks_got == 0);
  connect_handle (h, server_command ("--size", "1M", "--no-holes", option));
  before = counters (h);
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  check_growth (h, &before, request, 1, reply + offset + sizeof buf, 1);
  CHECK (nbd_pwrite (h, buf, sizeof buf, 0, 0) == 0);
  check_growth (h, &before, request + sizeof buf, 1, reply, 1);
  CHECK (nbd_flush (h, 0) == 0);
  check_growth (h, &before, request, 1, reply, 1);
  CHECK (nbd_trim (h, 512, 0, 0) == 0);
  check_growth (h, &before, request, 1, reply, 1);
  CHECK_ERROR (nbd_trim (h, 512, MIB, 0), ENOSPC);
  check_growth (h, &before, 0, 0, 0, 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  check_growth (h, &before, request, 1, 0, 0);
  nbd_close (h);
}

int
main (void)
{
  count ("--no-structured-replies", 28, 16);
  count ("--no-extended-headers", 28, 20);
  count ("--newstyle-fixed", 32, 32);
  return 0;
}
