/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How much the socket takes decides which commands nbd_shutdown can still abandon, and
 * what nbd_aio_get_direction says. The buffer of a socket that the program brings, and
 * of the one to a subprocess, is the system's; that of a socket which the library
 * connects to a path is enlarged.
 * Source: observed of libnbd 1.24.4 (strace).
 */
#include "../harness/commands.h"

static int
send_buffer (int fd)
{
  socklen_t length = sizeof (int);
  int size;

  CHECK (getsockopt (fd, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0);
  return size;
}

/* What the system gives, and what it gives to one who asks for 2 MiB. */
static void
sizes (int *given, int *asked)
{
  int fds[2], wanted = 2 << 20;

  CHECK (socketpair (AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  *given = send_buffer (fds[0]);
  CHECK (setsockopt (fds[0], SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted) ==
         0);
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
