/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thread in a synchronous command receives the data after its reply early.
 * Meanwhile another thread begins to poll the descriptor itself for a command
 * of its own: data received for it must not stay in the handle, where poll(2)
 * does not see it.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/peer.h"

#include <poll.h>
#include <pthread.h>

static struct nbd_handle *h;

static void *
read_data (void *arg)
{
  CHECK (nbd_pread (h, arg, 512, 0, 0) == 0);
  return NULL;
}

static void
put_reply (struct bytes *bytes, const struct request *request)
{
  static const char data[512] = "data";

  put_simple_reply (bytes, request, 0);
  put (bytes, data, sizeof data);
}

int
main (void)
{
  struct peer peer = { .replies = SIMPLE };
  struct request first, second;
  struct bytes replies = { .count = 0 };
  static char data[2][512];
  pthread_t thread;
  int64_t cookie;
  int r;

  alarm (20);
  h = nbd_create ();
  peer_accept (h, &peer);
  CHECK (pthread_create (&thread, NULL, read_data, data[0]) == 0);
  first = peer_request (&peer, NULL);
  usleep (20000);
  cookie = nbd_aio_pread (h, data[1], 512, 512, NBD_NULL_COMPLETION, 0);
  CHECK (cookie > 0);
  second = peer_request (&peer, NULL);
  CHECK (nbd_aio_get_direction (h) & LIBNBD_AIO_DIRECTION_READ);

  put_reply (&replies, &first);
  put_reply (&replies, &second);
  peer_bytes (&peer, &replies);
  CHECK (pthread_join (thread, NULL) == 0);
  while ((r = nbd_aio_command_completed (h, cookie)) == 0) {
    struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

    CHECK (poll (&fd, 1, -1) == 1);
    CHECK (nbd_aio_notify_read (h) == 0);
  }
  CHECK (r == 1);
  CHECK (strcmp (data[0], "data") == 0 && strcmp (data[1], "data") == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
