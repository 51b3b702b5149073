/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A path too long for a Unix socket is refused before connecting, and the
 * handle can be used to connect again.
 * Source: nbd_connect_unix(3); that the handle stays as created is what the C
 * library does.
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  char path[200];

  memset (path, 'x', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  CHECK_ERROR (nbd_connect_unix (h, path), ENAMETOOLONG);
  CHECK (nbd_aio_is_created (h) == 1);
  CHECK (nbd_connect_command (h, server_command ("--size", "1M")) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  nbd_close (h);
  return 0;
}
