/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A request that was issued has left by the time at which the program could
 * see that it has not: when it waits, here or on another handle; when it asks
 * for what it needs to wait by itself, or how much was sent; when it ends the
 * connection; when another thread comes; and when the thread ends.
 * Source: libnbd(3) "Issuing asynchronous commands".
 */
#include "harness-bursts.h"

#include <pthread.h>

#define BURST 5

static struct nbd_handle *other;

static void
ask_direction (struct nbd_handle *h)
{
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
}

static void
ask_fd (struct nbd_handle *h)
{
  CHECK (nbd_aio_get_fd (h) >= 0);
}

static void
count_bytes (struct nbd_handle *h)
{
  CHECK (nbd_stats_bytes_sent (h) > 0);
}

static void
count_chunks (struct nbd_handle *h)
{
  CHECK (nbd_stats_chunks_sent (h) > 0);
}

static void
poll_handle (struct nbd_handle *h)
{
  CHECK (nbd_poll (h, 0) == 0);
}

static void
notify_read (struct nbd_handle *h)
{
  CHECK (nbd_aio_notify_read (h) == 0);
}

static void
poll_other_handle (struct nbd_handle *h)
{
  (void) h;
  CHECK (nbd_poll (other, 0) == 0);
}

static void
ask_direction_of_other_handle (struct nbd_handle *h)
{
  (void) h;
  CHECK (nbd_aio_get_direction (other) == LIBNBD_AIO_DIRECTION_READ);
}

static void *
look (void *arg)
{
  CHECK (nbd_get_size (arg) > 0);
  return NULL;
}

static void
look_in_another_thread (struct nbd_handle *h)
{
  pthread_t thread;

  CHECK (pthread_create (&thread, NULL, look, h) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
}

static void (*ways[]) (struct nbd_handle *) = {
  ask_direction, ask_fd, count_bytes, count_chunks, poll_handle, notify_read,
  poll_other_handle, ask_direction_of_other_handle, look_in_another_thread,
  nbd_close,
};

static void *
issue_and_end (void *arg)
{
  struct peer *peer = arg;
  struct nbd_handle *h = busy_handle (peer);

  burst (h, BURST);
  return h;
}

int
main (void)
{
  struct peer other_peer, peer;
  struct nbd_handle *h;
  struct request request;
  pthread_t thread;
  void *result;

  other = busy_handle (&other_peer);
  issue_flush (other);

  for (size_t i = 0; i < ITEMS (ways); ++i) {
    h = busy_handle (&peer);
    burst (h, BURST);
    ways[i] (h);
    expect_requests (&peer, BURST);
    if (ways[i] != nbd_close)
      nbd_close (h);
    peer_close (&peer);
  }

  /* What ends the connection comes last. */
  h = busy_handle (&peer);
  burst (h, BURST);
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  for (int i = 0; i < BURST; ++i)
    CHECK (peer_request (&peer, NULL).type == NBD_CMD_FLUSH);
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_DISC);
  nbd_close (h);
  peer_close (&peer);

  /* The thread that issued is gone. */
  CHECK (pthread_create (&thread, NULL, issue_and_end, &peer) == 0);
  CHECK (pthread_join (thread, &result) == 0);
  expect_requests (&peer, BURST);
  nbd_close (result);
  peer_close (&peer);

  nbd_close (other);
  peer_close (&other_peer);
  return 0;
}
