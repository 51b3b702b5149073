/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_aio_notify_read without data, while the socket is full of writes, does
 * not stop the sending: the direction stays BOTH. Stricter than libnbd 1.24.4,
 * which then waits for a reply before it continues.
 * Source: nbd_aio_get_direction(3) (WRITE as long as there is more to send).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE, .size = 64 * MIB };
  struct request request;
  static char data[4 * 1024 * 1024], got[sizeof data];

  peer_connect (h, &peer);
  CHECK (nbd_aio_pwrite (h, data, sizeof data, 0, NBD_NULL_COMPLETION, 0) == 1);
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_BOTH);
  CHECK (nbd_aio_notify_read (h) == 0);
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_BOTH);
  request = peer_request (&peer, NULL);
  for (size_t n = 0; n < sizeof got;) {
    ssize_t r = recv (peer.fd, got + n, sizeof got - n, MSG_DONTWAIT);

    if (r > 0)
      n += r;
    else
      CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  }
  peer_simple (&peer, &request, 0);
  CHECK (wait_for (h, 1) == 1);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
