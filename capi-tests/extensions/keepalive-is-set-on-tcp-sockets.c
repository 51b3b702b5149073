/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_ext_set_keepalive and nbd_ext_set_user_timeout set the options of the TCP
 * socket, in every way in which the library opens one.
 *
 * Source: nbd_ext_set_keepalive(3), nbd_ext_set_user_timeout(3).
 */
#include "../harness/peer-tcp.h"

static struct listener l;

static int
by_name (struct nbd_handle *h)
{
  return nbd_aio_connect_tcp (h, "localhost", l.port);
}

static int
by_uri (struct nbd_handle *h)
{
  char uri[64];

  snprintf (uri, sizeof uri, "nbd://127.0.0.1:%s", l.port);
  return nbd_aio_connect_uri (h, uri);
}

static int
by_address (struct nbd_handle *h)
{
  return nbd_aio_connect (h, (struct sockaddr *) &l.address, sizeof l.address);
}

static void
check_options (int (*connect) (struct nbd_handle *h), bool keepalive,
               bool user_timeout)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  int fd;

  CHECK (h != NULL);
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  if (keepalive)
    CHECK (nbd_ext_set_keepalive (h, 77, 11, 5) == 0);
  if (user_timeout)
    CHECK (nbd_ext_set_user_timeout (h, 123456) == 0);
  CHECK (connect (h) == 0);
  peer_accept_on (l.fd, h, &peer);

  CHECK ((fd = nbd_aio_get_fd (h)) >= 0);
  CHECK (option_of (fd, SOL_SOCKET, SO_KEEPALIVE) == keepalive);
  CHECK ((option_of (fd, IPPROTO_TCP, TCP_KEEPIDLE) == 77) == keepalive);
  CHECK ((option_of (fd, IPPROTO_TCP, TCP_KEEPINTVL) == 11) == keepalive);
  CHECK ((option_of (fd, IPPROTO_TCP, TCP_KEEPCNT) == 5) == keepalive);
  CHECK (option_of (fd, IPPROTO_TCP, TCP_USER_TIMEOUT)
         == (user_timeout ? 123456 : 0));
  CHECK (option_of (fd, IPPROTO_TCP, TCP_NODELAY) != 0);
  nbd_close (h);
  close (peer.fd);
}

int
main (void)
{
  int (*const ways[]) (struct nbd_handle * h) = { by_name, by_uri, by_address };
  size_t i;
  int options;

  l = tcp_listen ();
  for (i = 0; i < ITEMS (ways); ++i)
    for (options = 0; options < 4; ++options)
      check_options (ways[i], options & 1, options & 2);
  close (l.fd);
  return 0;
}
