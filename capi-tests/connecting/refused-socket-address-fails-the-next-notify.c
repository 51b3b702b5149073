/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_aio_connect only begins to connect: if the address refuses,
 * nbd_aio_notify_write fails.  nbd_aio_connect_tcp tries all addresses of a
 * host, and fails at once.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/harness.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

/* A port without a listener. */
static uint16_t
dead_port (void)
{
  struct sockaddr_in addr = { .sin_family = AF_INET };
  socklen_t length = sizeof addr;
  int fd = socket (AF_INET, SOCK_STREAM, 0);

  addr.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  CHECK (bind (fd, (struct sockaddr *) &addr, sizeof addr) == 0);
  CHECK (getsockname (fd, (struct sockaddr *) &addr, &length) == 0);
  close (fd);
  return addr.sin_port;
}

int
main (void)
{
  struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = dead_port () };
  struct nbd_handle *h = nbd_create ();
  struct pollfd pollfd;
  char port[8];

  addr.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  CHECK (nbd_aio_connect (h, (struct sockaddr *) &addr, sizeof addr) == 0);
  CHECK (nbd_aio_is_connecting (h) == 1);
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_WRITE);
  pollfd.fd = nbd_aio_get_fd (h);
  pollfd.events = POLLOUT;
  CHECK (poll (&pollfd, 1, 10000) == 1);
  CHECK_ERROR (nbd_aio_notify_write (h), ECONNREFUSED);
  CHECK_MESSAGE ("nbd_aio_notify_write: connect: Connection refused");
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);

  h = nbd_create ();
  snprintf (port, sizeof port, "%d", ntohs (addr.sin_port));
  CHECK_ERROR (nbd_aio_connect_tcp (h, "127.0.0.1", port), ECONNREFUSED);
  CHECK (nbd_aio_is_created (h) == 1);
  nbd_close (h);
  return 0;
}
