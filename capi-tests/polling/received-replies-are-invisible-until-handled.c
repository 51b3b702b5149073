/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* State, statistics, commands in flight and end of file reflect the replies
 * that calls have handled, not those that have arrived.  Half a reply waits for
 * the rest.
 * Source: nbd_stats_bytes_received(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-reads.h"

#define REPLY (16 + READ_SIZE)

static void
counters_follow_the_calls (void)
{
  struct reads reads;
  uint64_t bytes, chunks;

  start_reads (&reads, SIMPLE, false);
  bytes = nbd_stats_bytes_received (reads.h);
  chunks = nbd_stats_chunks_received (reads.h);
  issue_and_answer (&reads, READS);
  peer_hang_up (&reads.peer);
  for (int i = 1; i <= READS; ++i) {
    CHECK (nbd_poll (reads.h, LONG_ENOUGH) == 1);
    CHECK (nbd_stats_bytes_received (reads.h) == bytes + i * REPLY);
    CHECK (nbd_stats_chunks_received (reads.h) == chunks + i);
    CHECK (nbd_aio_in_flight (reads.h) == READS - i);
    CHECK (nbd_aio_is_ready (reads.h) == 1);
    CHECK (nbd_aio_peek_command_completed (reads.h) == (i < READS ? 0 : -1));
    CHECK (reads.completed == i);
  }
  CHECK (nbd_poll (reads.h, LONG_ENOUGH) == 1);
  CHECK (nbd_aio_is_closed (reads.h) == 1);
  end_reads (&reads);
}

static void
half_a_reply_waits (void)
{
  struct reads reads;
  struct request request;
  static const size_t parts[] = { 3, 9, 100, REPLY - 112 };
  char reply[REPLY] = { 0x67, 0x44, 0x66, (char) 0x98 }, *at = reply;

  start_reads (&reads, SIMPLE, false);
  issue_read (&reads, 0);
  issue_read (&reads, 1);
  request = peer_request (&reads.peer, NULL);
  answer_read (&reads, &request);
  request = peer_request (&reads.peer, NULL);
  memcpy (reply + 8, &request.cookie, 8);
  memset (reply + 16, 'b', READ_SIZE);
  for (size_t i = 0; i < ITEMS (parts); ++i) {
    peer_write (&reads.peer, at, parts[i]);
    at += parts[i];
    if (i + 1 < ITEMS (parts)) {
      handle_arrivals (reads.h);
      CHECK (reads.completed == 1);
      CHECK (nbd_aio_is_ready (reads.h) == 1);
    }
  }
  while (reads.completed < 2)
    CHECK (nbd_poll (reads.h, LONG_ENOUGH) == 1);
  check_data (&reads, 2);
  end_reads (&reads);
}

/* nbd_shutdown completes them first. */
static void
shutdown_handles_them (void)
{
  struct reads reads;

  start_reads (&reads, STRUCTURED, false);
  issue_and_answer (&reads, READS);
  CHECK (nbd_poll (reads.h, LONG_ENOUGH) == 1);
  peer_hang_up (&reads.peer);
  CHECK (nbd_shutdown (reads.h, 0) == 0);
  CHECK (reads.completed == READS);
  CHECK (nbd_aio_is_closed (reads.h) == 1);
  check_data (&reads, READS);
  end_reads (&reads);
}

int
main (void)
{
  counters_follow_the_calls ();
  half_a_reply_waits ();
  shutdown_handles_them ();
  return 0;
}
