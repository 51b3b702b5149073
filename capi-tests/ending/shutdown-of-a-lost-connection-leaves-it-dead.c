/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the disconnect cannot be sent because the server is gone, nbd_shutdown
 * succeeds and the handle is dead.  A reset after the disconnect is an error.
 * Source: nbd_shutdown(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };

  peer_connect (h, &peer);
  peer_close (&peer);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);

  h = nbd_create ();
  peer_connect (h, &peer);
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  /* NBD_CMD_DISC has not been read, which makes this a reset. */
  peer_close (&peer);
  CHECK_ERROR (nbd_poll (h, LONG_ENOUGH), ECONNRESET);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  return 0;
}
