/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_ext_set_keepalive and nbd_ext_set_user_timeout change neither a TCP socket
 * that the program passes to the library, nor sockets of other families: those
 * connect as without the settings.
 *
 * Source: nbd_ext_set_keepalive(3), nbd_ext_set_user_timeout(3).
 */
#include "../harness/peer-tcp.h"

static struct nbd_handle *
with_settings (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (h != NULL);
  CHECK (nbd_ext_set_keepalive (h, 77, 11, 5) == 0);
  CHECK (nbd_ext_set_user_timeout (h, 123456) == 0);
  return h;
}

int
main (void)
{
  struct listener l = tcp_listen ();
  struct nbd_handle *h = with_settings ();
  struct peer peer = { .replies = SIMPLE };
  int sock = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (connect (sock, (struct sockaddr *) &l.address, sizeof l.address) == 0);
  CHECK (nbd_aio_connect_socket (h, sock) == 0);
  peer_accept_on (l.fd, h, &peer);
  CHECK (option_of (sock, SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK (option_of (sock, IPPROTO_TCP, TCP_KEEPIDLE) != 77);
  CHECK (option_of (sock, IPPROTO_TCP, TCP_USER_TIMEOUT) == 0);
  nbd_close (h);
  close (peer.fd);
  close (l.fd);

  h = with_settings ();
  CHECK (nbd_connect_unix (h, server_start ("--size", "1M")) == 0);
  CHECK (option_of (nbd_aio_get_fd (h), SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  nbd_close (h);

  h = connect_handle (with_settings (), server_command ("--size", "1M"));
  CHECK (option_of (nbd_aio_get_fd (h), SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  nbd_close (h);
  return 0;
}
