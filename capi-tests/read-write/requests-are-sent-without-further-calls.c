/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A single command reaches the server without further calls of the library: the
 * program may then poll by itself.
 * Source: libnbd(3), "Asynchronous commands".
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct request request;
  char data[512] = "data", got[512];

  peer_connect (h, &peer);
  for (int i = 0; i < 3; ++i) {
    CHECK (nbd_aio_pwrite (h, data, sizeof data, 4096, NBD_NULL_COMPLETION, 0)
           > 0);
    request = peer_request (&peer, got);
    CHECK (request.type == NBD_CMD_WRITE && request.offset == 4096);
    CHECK (request.length == sizeof data);
    CHECK (memcmp (got, data, sizeof data) == 0);
    peer_simple (&peer, &request, 0);
    wait_for_all (h);
  }
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
