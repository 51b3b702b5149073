/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many small commands reach the server in the order of issue, each with its own
 * payload.
 * Source: proto.md, "Ordering of messages and writes".
 */
#include "../harness/peer.h"

static void
issue (enum replies replies)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = replies };
  static char data[200][32];
  char got[32];

  peer_connect (h, &peer);
  for (int i = 0; i < 200; ++i) {
    memset (data[i], i, sizeof data[i]);
    CHECK (nbd_aio_pwrite (h, data[i], i % 32 + 1, i, NBD_NULL_COMPLETION, 0)
           == 2 * i + 1);
    CHECK (nbd_aio_trim (h, 1, i, NBD_NULL_COMPLETION, 0) == 2 * i + 2);
  }
  for (int i = 0; i < 200; ++i) {
    struct request request;

    handle_arrivals (h);
    request = peer_request (&peer, got);
    CHECK (request.type == NBD_CMD_WRITE && request.offset == (uint64_t) i);
    CHECK (request.length == (uint64_t) i % 32 + 1);
    CHECK (memcmp (got, data[i], request.length) == 0);
    request = peer_request (&peer, NULL);
    CHECK (request.type == NBD_CMD_TRIM && request.offset == (uint64_t) i);
  }
  CHECK (nbd_aio_in_flight (h) == 400);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  issue (SIMPLE);
  issue (EXTENDED);
  return 0;
}
