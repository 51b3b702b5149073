/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Once structured replies are agreed a read must not be answered by a simple
 * reply: the read fails with EPROTO, the connection goes on.  Other commands
 * may be.
 * Source: NBD protocol document, "Structured reply chunk message".
 */
#include "harness-commands.h"

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
  peer_simple (&peer, &request, 0);
  peer_write (&peer, "data", 4);
  CHECK_ERROR (wait_for (h, 1), EPROTO);
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, NBD_NULL_COMPLETION, 0) == 2);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 5);
  CHECK_ERROR (wait_for (h, 2), EPROTO);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 3);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 5);
  CHECK_ERROR (wait_for (h, 3), EIO);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 4);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 0);
  CHECK (wait_for (h, 4) == 1);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
