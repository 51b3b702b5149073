/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* While a request is partly sent, the library does not try to send before the
 * socket has space: neither the next command nor nbd_aio_notify_read sends
 * then, nor does nbd_poll as long as there is data to read.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

static bool
has_room (struct nbd_handle *h)
{
  struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLOUT };

  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_BOTH);
  return poll (&fd, 1, 0) == 1;
}

int
main (void)
{
  static char data[4 * MIB], got[256 * KIB], buf[512];
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE, .size = 64 * MIB };
  struct request request;

  peer_connect (h, &peer);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 1);
  request = peer_request (&peer, NULL);
  CHECK (nbd_aio_pwrite (h, data, sizeof data, 0, NBD_NULL_COMPLETION, 0) == 2);
  CHECK (!has_room (h));
  while (recv (peer.fd, got, sizeof got, MSG_DONTWAIT) > 0)
    ;
  CHECK (has_room (h));
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, NBD_NULL_COMPLETION, 0) == 3);
  CHECK (has_room (h));
  peer_simple (&peer, &request, 0);
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (nbd_aio_command_completed (h, 1) == 1);
  CHECK (has_room (h));
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (!has_room (h));
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
