/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, one call handles all replies that one receive returns, in a
 * loop of the program's own too, and nothing is left in the handle after it: the
 * direction is the socket's alone.
 * Source: nbd_ext_set_batching(3).
 */
#include "../harness/batches.h"

#include "../harness/peer-reads.h"
#include "../harness/counted-calls.h"

static int
notify_read (struct nbd_handle *h)
{
  return nbd_aio_notify_read (h);
}

static int
poll_once (struct nbd_handle *h)
{
  return nbd_poll (h, LONG_ENOUGH) - 1;
}

/* All replies are there, and then half of one more. */
static void
check (enum replies replies, int (*call) (struct nbd_handle *h))
{
  struct bytes half = { .count = 0 };
  struct request last;
  struct reads reads;

  start_reads (&reads, replies, true);
  batching (reads.h);
  reads.completed = 0;
  for (int i = 0; i < READS; ++i)
    issue_read (&reads, i);
  issue_flush (reads.h);
  CHECK (nbd_ext_send (reads.h) == 0);
  for (int i = 0; i < READS; ++i) {
    struct request request = peer_request (&reads.peer, NULL);

    answer_read (&reads, &request);
  }
  last = peer_request (&reads.peer, NULL);
  put32 (&half, 0x67446698);
  put16 (&half, 0);
  peer_bytes (&reads.peer, &half);

  receives = sends = 0;
  CHECK (call (reads.h) == 0);
  CHECK (reads.completed == READS);
  CHECK (receives == 1 && sends == 0);
  check_data (&reads, READS);
  CHECK (nbd_aio_in_flight (reads.h) == 1);
  CHECK (nbd_aio_get_direction (reads.h) == LIBNBD_AIO_DIRECTION_READ);
  CHECK (nbd_poll (reads.h, 0) == 0);

  half.count = 0;
  put16 (&half, 0);
  put (&half, &last.cookie, 8);
  peer_bytes (&reads.peer, &half);
  CHECK (call (reads.h) == 0);
  CHECK (nbd_aio_in_flight (reads.h) == 0);
  end_reads (&reads);
}

int
main (void)
{
  check (SIMPLE, poll_once);
  check (SIMPLE, notify_read);
  check (STRUCTURED, poll_once);
  check (STRUCTURED, notify_read);
  return 0;
}
