/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_aio_in_flight counts commands until their reply is complete, retired or
 * not, and a disconnect until the connection is closed.
 * Source: nbd_aio_in_flight(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };
  struct request requests[2];

  CHECK_ERROR (nbd_aio_in_flight (h), ENOTCONN);
  peer_connect (h, &peer);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) > 0);
  CHECK (nbd_aio_in_flight (h) == 1);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) > 0);
  CHECK (nbd_aio_in_flight (h) == 2);
  CHECK_ERROR (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0x40), EINVAL);
  CHECK (nbd_aio_in_flight (h) == 2);
  CHECK (nbd_poll (h, 0) == 0);
  requests[0] = peer_request (&peer, NULL);
  requests[1] = peer_request (&peer, NULL);
  peer_error (&peer, &requests[0], false, EIO);
  handle_arrivals (h);
  CHECK (nbd_aio_in_flight (h) == 2);
  peer_chunk (&peer, &requests[0], true, REPLY_NONE, NULL);
  handle_arrivals (h);
  CHECK (nbd_aio_in_flight (h) == 1);
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  CHECK (nbd_aio_in_flight (h) == 2);
  peer_hang_up (&peer);
  handle_arrivals (h);
  CHECK (nbd_aio_is_closed (h) == 1);
  CHECK (nbd_aio_in_flight (h) == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
