/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A scripted server on a port of this machine, and the options of sockets. */
#ifndef HARNESS_PEER_TCP_H
#define HARNESS_PEER_TCP_H

#include "peer.h"

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
 * acknowledgement: for the peer, its machine is dead.  Where the kernel forbids
 * that to ordinary users, the program ends without a failure.
 */
static inline void
drop_what_arrives (int fd)
{
  struct sock_filter drop = BPF_STMT (BPF_RET | BPF_K, 0);
  struct sock_fprog program = { .len = 1, .filter = &drop };
  int r = setsockopt (fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
                      sizeof program);

  if (r == -1 && errno == EPERM) {
    printf ("NOT RUN: this user may not attach a socket filter here\n");
    exit (0);
  }
  CHECK (r == 0);
}

#endif /* HARNESS_PEER_TCP_H */
