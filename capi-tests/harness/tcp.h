/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Support for programs about TCP sockets: a server on a port of this machine that
 * the program plays itself, and the options of a handle's socket.
 */
#ifndef HARNESS_TCP_H
#define HARNESS_TCP_H

#include "commands.h"

#include <libnbd-ext.h>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/* A listening socket of the program. */
struct listener {
  int fd;
  struct sockaddr_in address;
  char port[8];
};

static inline struct listener
tcp_listen (void)
{
  struct listener l = { .address.sin_family = AF_INET };
  socklen_t length = sizeof l.address;

  l.address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  CHECK ((l.fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
  CHECK (bind (l.fd, (struct sockaddr *) &l.address, length) == 0);
  CHECK (listen (l.fd, 5) == 0);
  CHECK (getsockname (l.fd, (struct sockaddr *) &l.address, &length) == 0);
  snprintf (l.port, sizeof l.port, "%d", ntohs (l.address.sin_port));
  return l;
}

/* Accepts the connection of a handle that is connecting, and sends the whole
 * handshake.
 */
static inline void
tcp_accept (struct listener *l, struct nbd_handle *h, struct peer *peer)
{
  struct bytes handshake = { .count = 0 };
  ssize_t r;

  if (peer->size == 0)
    peer->size = MIB;
  if (peer->flags == 0)
    peer->flags = EVERY_FLAG;
  put_handshake (&handshake, peer);
  CHECK ((peer->fd = accept4 (l->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0);
  r = send (peer->fd, handshake.data, handshake.count, MSG_NOSIGNAL);
  CHECK (r == (ssize_t) handshake.count);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  peer_is_connected (peer);
}

/* Returns an option of a socket. */
static inline int
option_of (int fd, int level, int name)
{
  int value = -1;
  socklen_t length = sizeof value;

  CHECK (getsockopt (fd, level, name, &value, &length) == 0);
  return value;
}

/* Makes the kernel drop everything that arrives for a socket, also its
 * acknowledgement: for the peer, its machine is dead.
 */
static inline void
drop_what_arrives (int fd)
{
  struct sock_filter drop = BPF_STMT (BPF_RET | BPF_K, 0);
  struct sock_fprog program = { .len = 1, .filter = &drop };

  CHECK (setsockopt (fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)
         == 0);
}

#endif /* HARNESS_TCP_H */
