/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connected socket passed to the library belongs to the handle: it becomes
 * non-blocking, is returned for polling, and is closed with the handle.  A
 * descriptor that is not a socket is refused.
 *
 * Source: nbd_connect_socket(3), nbd_aio_connect_socket(3), nbd_aio_get_fd(3).
 */
#include "../harness/harness.h"

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
  const char *path = server_start ("--size", "1M");
  struct nbd_handle *h;
  int fd, file;

  h = nbd_create ();
  fd = connected_socket (path);
  CHECK (nbd_connect_socket (h, fd) == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  CHECK (nbd_aio_get_fd (h) == fd);
  CHECK (fcntl (fd, F_GETFL) & O_NONBLOCK);
  CHECK (fcntl (fd, F_GETFD) & FD_CLOEXEC);
  nbd_close (h);
  CHECK (fcntl (fd, F_GETFD) == -1 && errno == EBADF);

  h = nbd_create ();
  fd = connected_socket (path);
  CHECK (nbd_aio_connect_socket (h, fd) == 0);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, -1) == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  nbd_close (h);

  h = nbd_create ();
  CHECK_ERROR (nbd_connect_socket (h, -1), EBADF);
  CHECK (nbd_aio_is_ready (h) == 0);
  nbd_close (h);

  h = nbd_create ();
  file = open ("/dev/null", O_RDWR);
  CHECK_ERROR (nbd_connect_socket (h, file), ENOTSOCK);
  nbd_close (h);
  return 0;
}
