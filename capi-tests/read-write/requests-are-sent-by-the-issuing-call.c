/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each request is sent before the call that issues it returns, independently of
 * earlier calls and of other commands in flight.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer-bursts.h"

#include <pthread.h>

static void *
look (void *h)
{
  CHECK (nbd_get_size (h) > 0);
  return NULL;
}

/* Checks that each of count requests arrives right after it was issued. */
static void
check_requests_leave (struct nbd_handle *h, struct peer *peer, int count)
{
  while (count-- > 0) {
    issue_flush (h);
    expect_requests (peer, 1);
  }
}

/* Behaves like a program with its own loop, which polls the descriptor itself.
 */
static void
wait_by_itself (struct nbd_handle *h, struct peer *peer)
{
  struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

  for (int round = 0; round < 50; ++round) {
    struct request request;

    issue_flush (h);
    request = peer_request (peer, NULL);
    CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
    peer_success (peer, &request);
    CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
    CHECK (nbd_aio_notify_read (h) == 0);
    CHECK (nbd_aio_in_flight (h) == 0);
  }
}

int
main (void)
{
  struct peer peer;
  struct nbd_handle *h;
  pthread_t thread;

  h = busy_handle (&peer);
  check_requests_leave (h, &peer, 40);
  CHECK (nbd_aio_in_flight (h) == 40);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
  check_requests_leave (h, &peer, 5);
  CHECK (pthread_create (&thread, NULL, look, h) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  check_requests_leave (h, &peer, 5);
  nbd_close (h);
  peer_close (&peer);

  h = busy_handle (&peer);
  wait_by_itself (h, &peer);
  check_requests_leave (h, &peer, 5);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
