/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With nbd_ext_set_keepalive, an idle connection to a machine that no longer
 * answers fails with ETIMEDOUT.  Without it, it would last forever.
 *
 * Source: nbd_ext_set_keepalive(3).
 */
#include "../harness/peer-tcp.h"

int
main (void)
{
  struct listener l = tcp_listen ();
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };

  CHECK (nbd_ext_set_keepalive (h, 1, 1, 1) == 0);
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_aio_connect_tcp (h, "127.0.0.1", l.port) == 0);
  peer_accept_on (l.fd, h, &peer);
  drop_what_arrives (peer.fd);

  CHECK_ERROR (nbd_poll (h, -1), ETIMEDOUT);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  close (peer.fd);
  close (l.fd);
  return 0;
}
