/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting where no server listens fails with the error of the system.
 * Source: nbd_connect_unix(3), nbd_connect_tcp(3), libnbd(3), "Errno".
 */
#include "../harness/commands.h"

#include <netinet/in.h>

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  char port[10];
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  CHECK_ERROR (nbd_connect_unix (h, socket_path ()), ENOENT);
  CHECK_MESSAGE ("nbd_connect_unix: connect: ");
  CHECK_MESSAGE ("No such file or directory");
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);

  /* A port that is bound and does not listen refuses connections. */
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  CHECK (bind (fd, (struct sockaddr *) &address, sizeof address) == 0);
  CHECK (getsockname (fd, (struct sockaddr *) &address, &length) == 0);
  snprintf (port, sizeof port, "%d", ntohs (address.sin_port));
  h = nbd_create ();
  CHECK_ERROR (nbd_connect_tcp (h, "127.0.0.1", port), ECONNREFUSED);
  CHECK_MESSAGE ("Connection refused");
  CHECK (nbd_aio_is_ready (h) == 0);
  nbd_close (h);
  CHECK (close (fd) == 0);
  return 0;
}
