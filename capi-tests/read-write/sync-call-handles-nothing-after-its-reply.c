/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A synchronous call completes the commands whose replies arrived before its
 * own, and leaves later ones to the next calls: the descriptor stays readable.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer-reads.h"

#include <pthread.h>

/* Answers two reads, the last request, and then the other two reads. */
static void *
serve (void *arg)
{
  struct reads *reads = arg;
  struct request requests[5];

  for (int i = 0; i < 5; ++i)
    requests[i] = peer_request (&reads->peer, NULL);
  CHECK (requests[4].offset == 4 * READ_SIZE);
  for (int i = 0; i < 5; ++i)
    answer_read (reads, &requests[(int[]) { 0, 1, 4, 2, 3 }[i]]);
  return NULL;
}

static void
check (enum replies replies, bool given)
{
  struct reads reads;
  struct pollfd fd = { .events = POLLIN };
  pthread_t server;

  start_reads (&reads, replies, given);
  fd.fd = nbd_aio_get_fd (reads.h);
  for (int i = 0; i < 4; ++i)
    issue_read (&reads, i);
  CHECK (pthread_create (&server, NULL, serve, &reads) == 0);
  CHECK (nbd_pread (reads.h, reads.data[4], READ_SIZE, 4 * READ_SIZE, 0) == 0);
  CHECK (reads.completed == 2);
  CHECK (nbd_aio_in_flight (reads.h) == 2);
  CHECK (pthread_join (server, NULL) == 0);
  for (int i = 3; i <= 4; ++i) {
    CHECK (nbd_aio_get_direction (reads.h) == LIBNBD_AIO_DIRECTION_READ);
    CHECK (poll (&fd, 1, 0) == 1);
    CHECK (nbd_aio_notify_read (reads.h) == 0);
    CHECK (reads.completed == i);
  }
  CHECK (poll (&fd, 1, 0) == 0);
  check_data (&reads, 5);
  end_reads (&reads);
}

int
main (void)
{
  for (enum replies replies = SIMPLE; replies <= EXTENDED; ++replies)
    for (int given = 0; given < 2; ++given)
      check (replies, given);
  return 0;
}
