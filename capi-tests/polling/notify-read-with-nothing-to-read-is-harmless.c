/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_aio_notify_read without data succeeds and loses nothing: commands
 * continue, and further ones can be issued.
 * Source: nbd_aio_notify_read(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };
  struct request request;

  peer_connect (h, &peer);
  CHECK (nbd_aio_notify_read (h) == 0);
  CHECK (nbd_aio_is_ready (h) == 1 || nbd_aio_is_processing (h) == 1);
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 1);
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
  CHECK (nbd_aio_notify_read (h) == 0);
  CHECK (nbd_aio_in_flight (h) == 1);
  request = peer_request (&peer, NULL);
  peer_success (&peer, &request);
  CHECK (wait_for (h, 1) == 1);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
