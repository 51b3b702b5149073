/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting to an address of any family that the program made itself.
 *
 * Source: nbd_aio_connect(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  const char *path = server_start ("--size", "1M");
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct nbd_handle *h = nbd_create ();
  char uri[256];

  snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
  CHECK (nbd_aio_connect (h, (struct sockaddr *) &address, sizeof address)
         == 0);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, -1) == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_get_size (h) == 1 << 20);
  snprintf (uri, sizeof uri, "nbd+unix:///?socket=%s", path);
  CHECK_STRING (nbd_get_uri (h), uri);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);

  h = nbd_create ();
  snprintf (address.sun_path, sizeof address.sun_path, "/nonexistent/socket");
  CHECK_ERROR (nbd_aio_connect (h, (struct sockaddr *) &address,
                                sizeof address),
               ENOENT);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  return 0;
}
