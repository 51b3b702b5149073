/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A descriptor returned by nbd_aio_get_fd is non-blocking, even after calls
 * that wait, and such calls wait in poll(2) instead of retrying the socket. The
 * same holds for a socket from the program.
 *
 * Source: libnbd(3), "Main loops".
 *
 * This program defines the functions of the C library that the library calls,
 * and counts the calls.
 */
#include "../harness/real-calls.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#define READS 20
#define DELAY "20" /* milliseconds */

static unsigned long system_calls;

ssize_t
recv (int fd, void *data, size_t count, int flags)
{
  ++system_calls;
  return real_recv (fd, data, count, flags);
}

ssize_t
recvmsg (int fd, struct msghdr *message, int flags)
{
  ++system_calls;
  return real_recvmsg (fd, message, flags);
}

int
poll (struct pollfd *fds, nfds_t count, int timeout)
{
  ++system_calls;
  return real_poll (fds, count, timeout);
}

static void
stays_non_blocking (struct nbd_handle *h, int fd)
{
  char buf[512];

  system_calls = 0;
  for (int i = 0; i < READS; ++i) {
    CHECK (fcntl (fd, F_GETFL) & O_NONBLOCK);
    CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  }
  CHECK (fcntl (fd, F_GETFL) & O_NONBLOCK);
  CHECK (system_calls <= 4 * READS);
}

static int
connected_socket (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  CHECK (fd != -1);
  snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
  CHECK (connect (fd, (struct sockaddr *) &address, sizeof address) == 0);
  return fd;
}

int
main (void)
{
  const char *path = server_start ("--size", "1M", "--delay", DELAY);
  struct nbd_handle *h = nbd_create ();
  char buf[512];
  int fd;

  CHECK (nbd_connect_unix (h, path) == 0);
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  stays_non_blocking (h, nbd_aio_get_fd (h));
  nbd_close (h);

  h = nbd_create ();
  fd = connected_socket (path);
  CHECK (nbd_connect_socket (h, fd) == 0);
  stays_non_blocking (h, fd);
  nbd_close (h);

  /* It is known while still connecting. */
  h = nbd_create ();
  CHECK (nbd_aio_connect_unix (h, path) == 0);
  fd = nbd_aio_get_fd (h);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, -1) == 1);
  stays_non_blocking (h, fd);
  nbd_close (h);
  return 0;
}
