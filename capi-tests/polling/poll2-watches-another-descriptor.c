/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_poll2 also returns when the other descriptor becomes readable or loses
 * its peer; -1 stands for no descriptor.
 * Source: nbd_poll2(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct request request;
  int fds[2];
  char byte;

  CHECK (pipe (fds) == 0);
  peer_connect (h, &peer);
  CHECK (nbd_poll2 (h, -1, 0) == 0);
  CHECK (nbd_poll2 (h, fds[0], 20) == 0);
  CHECK (write (fds[1], "x", 1) == 1);
  CHECK (nbd_poll2 (h, fds[0], -1) == 1);
  CHECK (nbd_poll2 (h, fds[0], -1) == 1);
  CHECK (read (fds[0], &byte, 1) == 1);
  CHECK (nbd_poll2 (h, fds[0], 0) == 0);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 1);
  CHECK (nbd_poll2 (h, fds[0], 0) == 0);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 0);
  while (nbd_aio_in_flight (h) > 0)
    CHECK (nbd_poll2 (h, fds[0], LONG_ENOUGH) == 1);
  CHECK (close (fds[1]) == 0);
  CHECK (nbd_poll2 (h, fds[0], -1) == 1);
  CHECK (close (fds[0]) == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
