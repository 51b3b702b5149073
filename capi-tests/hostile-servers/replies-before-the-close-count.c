/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Commands that the server answered before it disconnected succeed, although a
 * large write still waits for space in the socket.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer-reads.h"

static char large[32 * 1024 * 1024];

enum way { ISSUE_AND_POLL, NOTIFY, SHUT_DOWN };

static int
ignore_failure (void *user_data, int *error)
{
  (void) user_data;
  CHECK (*error == ENOTCONN);
  return 1;
}

static void
check (enum way way, bool given)
{
  nbd_completion_callback callback = { .callback = ignore_failure };
  struct nbd_handle *h;
  struct reads reads;
  struct request requests[2];

  memset (&reads, 0, sizeof reads);
  reads.chunks = 1;
  reads.peer = (struct peer) { .replies = SIMPLE, .size = sizeof large };
  reads.h = h = nbd_create ();
  (given ? peer_connect : peer_accept) (h, &reads.peer);
  for (int i = 0; i < 2; ++i) {
    issue_read (&reads, i);
    requests[i] = peer_request (&reads.peer, NULL);
  }
  CHECK (nbd_aio_pwrite (h, large, sizeof large, 0, callback, 0) > 0);
  CHECK (nbd_aio_is_processing (h) == 1);
  for (int i = 0; i < 2; ++i)
    answer_read (&reads, &requests[i]);
  peer_close (&reads.peer);

  switch (way) {
  case ISSUE_AND_POLL:
    CHECK (nbd_aio_flush (h, callback, 0) > 0);
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
    break;
  case NOTIFY:
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
    CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_BOTH);
    CHECK (nbd_aio_notify_read (h) == 0);
    break;
  case SHUT_DOWN:
    CHECK_ERROR (nbd_shutdown (h, 0), ECONNRESET);
    break;
  }
  CHECK (reads.completed == 2);
  check_data (&reads, 2);
  nbd_close (h);
}

int
main (void)
{
  for (enum way way = ISSUE_AND_POLL; way <= SHUT_DOWN; ++way)
    for (int given = 0; given < 2; ++given)
      check (way, given);
  return 0;
}
