/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A simple reply with an error and an unknown cookie is skipped, since no data
 * follows an error.  Without an error, data may follow: that ends the
 * connection.
 * Source: proto.md, "Simple reply message"; seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct request request, unknown = { .cookie = htobe64 (1000) };

  peer_connect (h, &peer);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 1);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &unknown, 5);
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (nbd_aio_in_flight (h) == 1);
  peer_simple (&peer, &request, 0);
  CHECK (wait_for (h, 1) == 1);

  peer_simple (&peer, &unknown, 0);
  CHECK_ERROR (nbd_poll (h, LONG_ENOUGH), EPROTO);
  CHECK_MESSAGE ("nbd_poll: no matching cookie 1000 found");
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
