/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The cookie of a request on the wire is the one returned to the program:
 * counted from 1, including NBD_CMD_DISC. A network trace can therefore be
 * compared with the log of the program.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

#define ROUNDS 10

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct request request;

  peer_connect (h, &peer);
  for (int i = 0; i < ROUNDS; ++i) {
    int64_t first = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
    int64_t second = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);

    CHECK (first == 2 * i + 1 && second == 2 * i + 2);
    request = peer_request (&peer, NULL);
    CHECK (be64toh (request.cookie) == (uint64_t) first);
    peer_simple (&peer, &request, 0);
    request = peer_request (&peer, NULL);
    CHECK (be64toh (request.cookie) == (uint64_t) second);
    peer_simple (&peer, &request, 0);
    while (!nbd_aio_command_completed (h, second))
      CHECK (nbd_poll (h, -1) == 1);
    CHECK (nbd_aio_command_completed (h, first) == 1);
  }
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_DISC);
  CHECK (be64toh (request.cookie) == 2 * ROUNDS + 1);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
