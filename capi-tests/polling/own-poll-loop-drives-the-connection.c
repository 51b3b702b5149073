/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program can wait by itself with nbd_aio_get_fd, nbd_aio_get_direction and
 * the notify calls, from connecting to the last command.
 * Source: libnbd(3), "Main loops".
 */
#include "../harness/commands.h"

static void
wait_once (struct nbd_handle *h)
{
  struct pollfd pfd = { .fd = nbd_aio_get_fd (h) };
  unsigned direction = nbd_aio_get_direction (h);

  CHECK (pfd.fd >= 0);
  CHECK (direction != 0);
  if (direction & LIBNBD_AIO_DIRECTION_READ)
    pfd.events |= POLLIN;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    pfd.events |= POLLOUT;
  CHECK (poll (&pfd, 1, LONG_ENOUGH) == 1);
  direction = nbd_aio_get_direction (h);
  if ((direction & LIBNBD_AIO_DIRECTION_READ)
      && (pfd.revents & (POLLIN | POLLHUP)))
    CHECK (nbd_aio_notify_read (h) == 0);
  else if ((direction & LIBNBD_AIO_DIRECTION_WRITE) && (pfd.revents & POLLOUT))
    CHECK (nbd_aio_notify_write (h) == 0);
}

static void
run (const char *path)
{
  struct nbd_handle *h = nbd_create ();
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  static char out[8 * 1024 * 1024], in[sizeof out];
  int64_t cookie;

  memcpy (address.sun_path, path, strlen (path) + 1);
  CHECK (nbd_aio_is_created (h) == 1);
  CHECK (nbd_aio_connect (h, (struct sockaddr *) &address, sizeof address)
         == 0);
  while (nbd_aio_is_connecting (h))
    wait_once (h);
  CHECK (nbd_aio_is_ready (h) == 1);
  memset (out, 'o', sizeof out);
  CHECK ((cookie = nbd_aio_pwrite (h, out, sizeof out, 0, NBD_NULL_COMPLETION,
                                   0))
         > 0);
  while (nbd_aio_command_completed (h, cookie) == 0)
    wait_once (h);
  CHECK ((cookie = nbd_aio_pread (h, in, sizeof in, 0, NBD_NULL_COMPLETION, 0))
         > 0);
  while (nbd_aio_command_completed (h, cookie) == 0)
    wait_once (h);
  CHECK (memcmp (in, out, sizeof in) == 0);
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  while (!nbd_aio_is_closed (h))
    wait_once (h);
  nbd_close (h);
}

int
main (void)
{
  run (server_start ("--size", "8M"));
  return 0;
}
