/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the server resets the connection instead of handling NBD_CMD_DISC, the
 * handle is dead, not closed.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };

  peer_connect (h, &peer);
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  /* Closing with unread data resets a Unix socket. */
  peer_close (&peer);
  CHECK_ERROR (nbd_poll (h, LONG_ENOUGH), ECONNRESET);
  CHECK_MESSAGE ("nbd_poll: recv: ");
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  return 0;
}
