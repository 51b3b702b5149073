/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An endless stream of valid chunks blocks no call: nbd_poll and
 * nbd_aio_notify_read return after one, and a chunk too long to be useful is
 * skipped in several calls.
 * Source: nbd_poll(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-reads.h"

#include <pthread.h>

#define CALLS 1000
#define LONG_CHUNK (60 * 1024 * 1024)

static bool stop;

static bool
stopped (void)
{
  return __atomic_load_n (&stop, __ATOMIC_ACQUIRE);
}

/* Sends empty chunks, or one very long chunk, until the client has seen enough.
 */
static void *
send_chunks (void *arg)
{
  struct reads *reads = arg;
  struct request request = peer_request (&reads->peer, NULL);
  static char zeroes[64 * 1024];
  struct bytes burst = { .count = 0 };
  size_t sent = 0;

  while (burst.count + 28 < sizeof burst.data) {
    put_chunk_header (&burst, STRUCTURED, &request, false,
                      REPLY_OFFSET_HOLE + 0x100,
                      reads->chunks == 1 ? 0 : LONG_CHUNK);
    if (reads->chunks > 1)
      break;
  }
  while (!stopped () && sent < SIZE_MAX / 2) {
    ssize_t r = reads->chunks == 1 || sent == 0
                    ? send (reads->peer.fd, burst.data, burst.count,
                            MSG_NOSIGNAL)
                    : send (reads->peer.fd, zeroes, sizeof zeroes,
                            MSG_NOSIGNAL);

    if (r <= 0)
      break;
    sent += r;
  }
  return NULL;
}

static void
check (bool long_chunk, bool own_loop)
{
  struct reads reads;
  pthread_t server;

  start_reads (&reads, STRUCTURED, false);
  reads.chunks = long_chunk ? 2 : 1;
  reads.may_fail = true;
  __atomic_store_n (&stop, false, __ATOMIC_RELEASE);
  issue_read (&reads, 0);
  CHECK (pthread_create (&server, NULL, send_chunks, &reads) == 0);
  for (int i = 0; i < (long_chunk ? 20 : CALLS); ++i) {
    uint64_t bytes = nbd_stats_bytes_received (reads.h);
    uint64_t chunks = nbd_stats_chunks_received (reads.h);

    if (own_loop) {
      struct pollfd fd = { .fd = nbd_aio_get_fd (reads.h), .events = POLLIN };

      CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
      CHECK (nbd_aio_notify_read (reads.h) == 0);
    } else
      CHECK (nbd_poll (reads.h, LONG_ENOUGH) == 1);
    CHECK (nbd_stats_chunks_received (reads.h) <= chunks + 1);
    CHECK (nbd_stats_bytes_received (reads.h) <= bytes + 512 * KIB);
  }
  CHECK (reads.completed == 0);
  __atomic_store_n (&stop, true, __ATOMIC_RELEASE);
  CHECK (shutdown (reads.peer.fd, SHUT_RDWR) == 0);
  CHECK (pthread_join (server, NULL) == 0);
  nbd_close (reads.h);
  peer_close (&reads.peer);
}

int
main (void)
{
  for (int own_loop = 0; own_loop < 2; ++own_loop) {
    check (false, own_loop);
    check (true, own_loop);
  }
  return 0;
}
