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
#include "../harness/counted-calls.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#define READS 20
#define DELAY "20" /* milliseconds */

static void
stays_non_blocking (struct nbd_handle *h, int fd)
{
  char buf[512];

  system_calls = sends = 0;
  for (int i = 0; i < READS; ++i) {
    CHECK (fcntl (fd, F_GETFL) & O_NONBLOCK);
    CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  }
  CHECK (fcntl (fd, F_GETFL) & O_NONBLOCK);
  CHECK (system_calls - sends <= 4 * READS);
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
