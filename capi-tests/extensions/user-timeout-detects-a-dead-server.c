/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With nbd_ext_set_user_timeout, a command fails with ETIMEDOUT if the machine of
 * the server does not acknowledge the request: a small one, and one that does
 * not fit into the socket's buffer.  Without it, that would take the system's
 * quarter of an hour.
 *
 * Source: nbd_ext_set_user_timeout(3).
 */
#include "../harness/peer-tcp.h"

static char data[32 * MIB];

static void
check_fails (struct listener *l, size_t count)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE, .size = GIB };

  CHECK (nbd_ext_set_user_timeout (h, 1000) == 0);
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_aio_connect_tcp (h, "127.0.0.1", l->port) == 0);
  peer_accept_on (l->fd, h, &peer);
  drop_what_arrives (peer.fd);

  CHECK_ERROR (nbd_pwrite (h, data, count, 0, 0), ETIMEDOUT);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  close (peer.fd);
}

int
main (void)
{
  struct listener l = tcp_listen ();

  check_fails (&l, 512);
  check_fails (&l, sizeof data);
  close (l.fd);
  return 0;
}
