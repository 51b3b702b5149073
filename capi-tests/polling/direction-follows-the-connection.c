/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When idle or waiting for replies, the direction is READ and the handle is
 * ready; with more to send than the socket accepts, it is BOTH and the handle
 * is processing.  Commands can be issued in either state.
 * Source: nbd_aio_get_direction(3), nbd_aio_is_ready(3).
 */
#include "../harness/peer.h"

static void
check_state (struct nbd_handle *h, bool ready, unsigned direction)
{
  CHECK (nbd_aio_is_created (h) == 0);
  CHECK (nbd_aio_is_connecting (h) == 0);
  CHECK (nbd_aio_is_negotiating (h) == 0);
  CHECK (nbd_aio_is_closed (h) == 0);
  CHECK (nbd_aio_is_dead (h) == 0);
  CHECK (nbd_aio_is_ready (h) == ready);
  CHECK (nbd_aio_is_processing (h) == !ready);
  CHECK (nbd_aio_get_direction (h) == direction);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE, .size = 64 * MIB };
  struct request requests[4];
  static char data[4 * 1024 * 1024], got[sizeof data];

  CHECK (nbd_aio_is_created (h) == 1);
  CHECK (nbd_aio_get_direction (h) == 0);
  peer_connect (h, &peer);
  check_state (h, true, LIBNBD_AIO_DIRECTION_READ);
  CHECK_ERROR (nbd_aio_notify_write (h), EINVAL);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 1);
  CHECK (nbd_poll (h, 0) == 0);
  check_state (h, true, LIBNBD_AIO_DIRECTION_READ);
  requests[0] = peer_request (&peer, NULL);
  peer_write (&peer, "\x67", 1);
  handle_arrivals (h);
  check_state (h, true, LIBNBD_AIO_DIRECTION_READ);

  CHECK (nbd_aio_pwrite (h, data, sizeof data, 0, NBD_NULL_COMPLETION, 0) == 2);
  CHECK (nbd_aio_trim (h, 1, 0, NBD_NULL_COMPLETION, 0) == 3);
  check_state (h, false, LIBNBD_AIO_DIRECTION_BOTH);
  CHECK (nbd_poll (h, 0) == 0);
  CHECK (nbd_aio_notify_write (h) == 0);
  check_state (h, false, LIBNBD_AIO_DIRECTION_BOTH);
  CHECK (nbd_aio_in_flight (h) == 3);

  peer_write (&peer, "\x44\x66\x98\0\0\0\0", 7);
  peer_write (&peer, &requests[0].cookie, 8);
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (nbd_aio_in_flight (h) == 2);
  check_state (h, false, LIBNBD_AIO_DIRECTION_BOTH);
  CHECK (nbd_aio_command_completed (h, 1) == 1);

  requests[1] = peer_request (&peer, NULL);
  for (size_t n = 0; n < sizeof got;) {
    ssize_t r = recv (peer.fd, got + n, sizeof got - n, MSG_DONTWAIT);

    if (r > 0)
      n += r;
    else
      CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  }
  handle_arrivals (h);
  check_state (h, true, LIBNBD_AIO_DIRECTION_READ);
  requests[2] = peer_request (&peer, NULL);
  CHECK (requests[2].type == NBD_CMD_TRIM);
  peer_simple (&peer, &requests[2], 0);
  peer_simple (&peer, &requests[1], 0);
  wait_for_all (h);
  check_state (h, true, LIBNBD_AIO_DIRECTION_READ);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
