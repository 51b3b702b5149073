/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The capacity of the socket decides which commands nbd_shutdown can still
 * abandon, and the result of nbd_aio_get_direction. A socket from the program
 * and the one to a subprocess keep the system's buffer size; a socket that the
 * library connects to a path gets a larger one.
 * Source: seen with libnbd 1.24.4 (strace).
 */
#include "../harness/peer.h"

static int
send_buffer (int fd)
{
  socklen_t length = sizeof (int);
  int size;

  CHECK (getsockopt (fd, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0);
  return size;
}

/* Determines the system's default, and its result for a request of 2 MiB. */
static void
sizes (int *given, int *asked)
{
  int fds[2], wanted = 2 << 20;

  CHECK (socketpair (AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  *given = send_buffer (fds[0]);
  CHECK (setsockopt (fds[0], SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted)
         == 0);
  *asked = send_buffer (fds[0]);
  close (fds[0]);
  close (fds[1]);
}

int
main (void)
{
  struct peer peer = { .replies = SIMPLE };
  struct nbd_handle *h = nbd_create ();
  int given, asked;

  sizes (&given, &asked);
  CHECK (given < asked);
  peer_connect (h, &peer);
  CHECK (send_buffer (nbd_aio_get_fd (h)) == given);
  nbd_close (h);
  peer_close (&peer);

  h = connected ("--size", "1M");
  CHECK (send_buffer (nbd_aio_get_fd (h)) == given);
  nbd_close (h);

  h = nbd_create ();
  memset (&peer, 0, sizeof peer);
  peer_accept (h, &peer);
  CHECK (send_buffer (nbd_aio_get_fd (h)) == asked);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
