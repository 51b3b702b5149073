/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program with its own poll loop connects with TLS, moves data in both
 * directions at once and disconnects, using only the direction and the notify
 * calls.
 *
 * Source: nbd_aio_get_direction(3), libnbd(3), "Asynchronous commands".
 */
#include "../harness/tls.h"

#define COUNT (1024 * 1024)

static unsigned char written[COUNT], back[COUNT], other[COUNT];

/* Runs one turn of the loop. */
static void
turn (struct nbd_handle *h)
{
  unsigned direction = nbd_aio_get_direction (h);
  struct pollfd fd = { .fd = nbd_aio_get_fd (h) };

  CHECK (fd.fd >= 0);
  CHECK (direction != 0);
  if (direction & LIBNBD_AIO_DIRECTION_READ)
    fd.events |= POLLIN;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    fd.events |= POLLOUT;
  CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
  if ((direction & LIBNBD_AIO_DIRECTION_READ)
      && (fd.revents & (POLLIN | POLLHUP)))
    CHECK (nbd_aio_notify_read (h) == 0);
  else if ((direction & LIBNBD_AIO_DIRECTION_WRITE) && (fd.revents & POLLOUT))
    CHECK (nbd_aio_notify_write (h) == 0);
  else
    CHECK (!"what was polled for");
}

static void
finish (struct nbd_handle *h, int64_t cookie)
{
  int r;

  CHECK (cookie > 0);
  while ((r = nbd_aio_command_completed (h, cookie)) == 0)
    turn (h);
  CHECK (r == 1);
}

int
main (void)
{
  struct nbd_handle *h = configured ();
  int64_t first, second;

  CHECK (start_to_connect (h, false) == 0);
  while (nbd_aio_is_connecting (h) == 1)
    turn (h);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_get_tls_negotiated (h) == 1);

  fill (written, COUNT, 0, 1);
  finish (h, nbd_aio_pwrite (h, written, COUNT, 0, NBD_NULL_COMPLETION, 0));

  /* More data to send while there is more to receive. */
  fill (other, COUNT, COUNT, 2);
  first = nbd_aio_pread (h, back, COUNT, 0, NBD_NULL_COMPLETION, 0);
  second = nbd_aio_pwrite (h, other, COUNT, COUNT, NBD_NULL_COMPLETION, 0);
  finish (h, second);
  finish (h, first);
  CHECK (is_filled (back, COUNT, 0, 1));
  finish (h, nbd_aio_pread (h, back, COUNT, COUNT, NBD_NULL_COMPLETION, 0));
  CHECK (is_filled (back, COUNT, COUNT, 2));

  CHECK (nbd_aio_disconnect (h, 0) == 0);
  while (nbd_aio_is_closed (h) == 0 && nbd_aio_is_dead (h) == 0)
    turn (h);
  nbd_close (h);
  return 0;
}
