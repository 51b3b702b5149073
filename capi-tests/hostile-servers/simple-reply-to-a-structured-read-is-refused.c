/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With structured replies negotiated, a read must not be answered by a simple
 * reply.  One with an error fails the read with EPROTO; one without may or may
 * not have data, so it ends the connection.  Other commands may get simple
 * replies.
 * Source: proto.md, "Structured reply chunk message"; outcomes of
 * libnbd 1.24.4, which takes what follows for the data of the read.
 */
#include "../harness/peer.h"

static void
refuse (bool with_data)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };
  struct bytes chunk = { .count = 0 };
  struct request request, other;
  char buf[512], other_buf[512];

  peer_connect (h, &peer);
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, NBD_NULL_COMPLETION, 0) == 1);
  CHECK (nbd_aio_pread (h, other_buf, 484, 0, NBD_NULL_COMPLETION, 0) == 2);
  request = peer_request (&peer, NULL);
  other = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 0);
  if (with_data)
    peer_write (&peer, buf, sizeof buf);
  /* As long as the data would be. */
  put64 (&chunk, 0);
  put (&chunk, other_buf, 484);
  peer_chunk (&peer, &other, true, REPLY_OFFSET_DATA, &chunk);
  CHECK_ERROR (nbd_poll (h, LONG_ENOUGH), EPROTO);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK_ERROR (nbd_aio_command_completed (h, 1), EPROTO);
  CHECK_ERROR (nbd_aio_command_completed (h, 2), ENOTCONN);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };
  struct request request;
  char buf[4];

  peer_connect (h, &peer);
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, NBD_NULL_COMPLETION, 0) == 1);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 5);
  CHECK_ERROR (wait_for (h, 1), EPROTO);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 2);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 5);
  CHECK_ERROR (wait_for (h, 2), EIO);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 3);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 0);
  CHECK (wait_for (h, 3) == 1);
  nbd_close (h);
  peer_close (&peer);

  refuse (false);
  refuse (true);
  return 0;
}
