/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that waits for the descriptor by itself, without asking for the
 * direction, and one that has just connected and does not call again, have
 * their requests sent by the call that issues them. So has one that used to
 * ask and does not any more, and one with another thread that asks and may be
 * waiting by now.
 * Source: nbd_aio_get_direction(3), nbd_aio_notify_read(3).
 */
#include "harness-bursts.h"

#include <pthread.h>

static void *
ask_direction (void *h)
{
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
  return NULL;
}

static void
wait_by_itself (struct nbd_handle *h, struct peer *peer, int rounds)
{
  struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

  while (rounds-- > 0) {
    burst (h, 2);
    for (int i = 0; i < 2; ++i) {
      struct request request = peer_request (peer, NULL);

      peer_success (peer, &request);
      CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
      CHECK (nbd_aio_notify_read (h) == 0);
    }
    while (nbd_aio_in_flight (h) > 0) {
      CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
      CHECK (nbd_aio_notify_read (h) == 0);
    }
  }
}

int
main (void)
{
  struct peer peer = { 0 };
  struct nbd_handle *h = nbd_create ();
  pthread_t thread;

  peer_connect (h, &peer);
  burst (h, 5);
  expect_requests (&peer, 5);
  nbd_close (h);
  peer_close (&peer);

  h = nbd_create ();
  memset (&peer, 0, sizeof peer);
  peer_connect (h, &peer);
  wait_by_itself (h, &peer, 50);
  burst (h, 5);
  expect_requests (&peer, 5);
  nbd_close (h);
  peer_close (&peer);

  h = busy_handle (&peer);
  /* The reply to the first of a round brings the program back. */
  wait_by_itself (h, &peer, 1);
  burst (h, 5);
  expect_requests (&peer, 5);
  nbd_close (h);
  peer_close (&peer);

  h = busy_handle (&peer);
  issue_flush (h);
  CHECK (pthread_create (&thread, NULL, ask_direction, h) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  burst (h, 5);
  expect_requests (&peer, 6);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
