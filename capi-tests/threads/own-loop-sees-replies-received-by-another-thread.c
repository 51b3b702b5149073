/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The program begins to poll the descriptor itself while another thread waits
 * in a synchronous command. That thread receives both replies with one system
 * call: the program is still notified of its own.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/peer.h"

#include <pthread.h>

#define SIZE 512

static struct nbd_handle *h;
static struct peer peer;

static void *
read_first (void *arg)
{
  CHECK (nbd_pread (h, arg, SIZE, 0, 0) == 0);
  return NULL;
}

int
main (void)
{
  static char first_data[SIZE], data[SIZE];
  static const char zeroes[SIZE];
  struct bytes replies = { .count = 0 };
  struct request first, second;
  struct pollfd fd = { .events = 0 };
  pthread_t thread;
  unsigned direction;
  int64_t cookie;
  int r;

  h = nbd_create ();
  peer_accept (h, &peer);
  CHECK (pthread_create (&thread, NULL, read_first, first_data) == 0);
  first = peer_request (&peer, NULL);
  usleep (20000); /* most likely it receives by now */
  cookie = nbd_aio_pread (h, data, SIZE, SIZE, NBD_NULL_COMPLETION, 0);
  CHECK (cookie > 0);
  second = peer_request (&peer, NULL);

  fd.fd = nbd_aio_get_fd (h);
  direction = nbd_aio_get_direction (h);
  put_simple_reply (&replies, &first, 0);
  put (&replies, zeroes, SIZE);
  put_simple_reply (&replies, &second, 0);
  put (&replies, zeroes, SIZE);
  peer_bytes (&peer, &replies);
  CHECK (pthread_join (thread, NULL) == 0);
  /* The direction was queried before the replies arrived. */
  do {
    fd.events = direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0;
    if (direction & LIBNBD_AIO_DIRECTION_WRITE)
      fd.events |= POLLOUT;
    CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
    if (fd.revents & POLLIN)
      CHECK (nbd_aio_notify_read (h) == 0);
    else if (fd.revents & POLLOUT)
      CHECK (nbd_aio_notify_write (h) == 0);
    direction = nbd_aio_get_direction (h);
  } while ((r = nbd_aio_command_completed (h, cookie)) == 0);
  CHECK (r == 1);
  nbd_close (h);
  return 0;
}
