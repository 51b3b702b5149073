/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_poll returns 0 on timeout and 1 if data arrived, even part of a reply.
 * Source: nbd_poll(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct request request;

  peer_connect (h, &peer);
  CHECK (nbd_poll (h, 0) == 0);
  CHECK (nbd_poll (h, 20) == 0);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 1);
  CHECK (nbd_poll (h, 20) == 0);
  request = peer_request (&peer, NULL);
  peer_write (&peer, "\x67\x44", 2);
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (nbd_poll (h, 0) == 0);
  CHECK (nbd_aio_in_flight (h) == 1);
  peer_write (&peer, "\x66\x98\0\0\0\0", 6);
  peer_write (&peer, &request.cookie, 8);
  CHECK (nbd_poll (h, -1) == 1);
  handle_arrivals (h);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK (nbd_aio_command_completed (h, 1) == 1);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
