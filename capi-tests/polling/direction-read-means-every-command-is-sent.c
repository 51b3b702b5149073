/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If nbd_aio_get_direction returns only READ, every command issued so far has
 * been sent.
 * Source: nbd_aio_get_direction(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = EXTENDED };

  peer_connect (h, &peer);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 10; ++i)
      CHECK (nbd_aio_trim (h, 512, i * 512, NBD_NULL_COMPLETION, 0) > 0);
    CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
    for (int i = 0; i < 10; ++i) {
      struct request request = peer_request (&peer, NULL);

      CHECK (request.type == NBD_CMD_TRIM);
      CHECK (request.offset == (uint64_t) i * 512);
      if (i % 2)
        peer_success (&peer, &request);
    }
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  }
  handle_arrivals (h);
  CHECK (nbd_aio_in_flight (h) == 20);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
