/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* However many replies have arrived, nbd_poll and nbd_aio_notify_read handle
 * one message each: a simple reply, or a chunk.  Copy loops of language
 * bindings lose data or free memory twice if several commands complete in one
 * call.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer-reads.h"

static void
by_nbd_poll (struct nbd_handle *h)
{
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
}

static void
by_nbd_poll2 (struct nbd_handle *h)
{
  int pipes[2];

  CHECK (pipe (pipes) == 0);
  CHECK (nbd_poll2 (h, pipes[0], -1) == 1);
  CHECK (close (pipes[0]) == 0 && close (pipes[1]) == 0);
}

static void
by_notify_read (struct nbd_handle *h)
{
  struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

  CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
  CHECK (nbd_aio_notify_read (h) == 0);
}

static void (*const ways[]) (struct nbd_handle *) = {
  by_nbd_poll,
  by_nbd_poll2,
  by_notify_read,
};

static void
check (enum replies replies, int chunks, bool given,
       void (*wait) (struct nbd_handle *))
{
  struct reads reads;

  start_reads (&reads, replies, given);
  reads.chunks = chunks;
  for (int round = 0; round < 3; ++round) {
    issue_and_answer (&reads, READS);
    for (int call = 1; call <= READS * chunks; ++call) {
      wait (reads.h);
      CHECK (reads.completed == call / chunks);
      CHECK (reads.called == call + reads.completed);
      CHECK (nbd_aio_in_flight (reads.h) == READS - reads.completed);
      CHECK (nbd_aio_is_ready (reads.h) == 1);
    }
    check_data (&reads, READS);
    CHECK (nbd_poll (reads.h, 0) == 0);
  }
  end_reads (&reads);
}

int
main (void)
{
  for (size_t way = 0; way < ITEMS (ways); ++way)
    for (int given = 0; given < 2; ++given)
      for (enum replies replies = SIMPLE; replies <= EXTENDED; ++replies) {
        check (replies, 1, given, ways[way]);
        if (replies != SIMPLE)
          check (replies, 2, given, ways[way]);
      }
  return 0;
}
