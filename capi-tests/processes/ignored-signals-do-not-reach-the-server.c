/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that ignores SIGTERM does not make its server ignore it, so that
 * closing the handle ends a server with socket activation, which would go on
 * listening otherwise.
 * The C library lets the server inherit it, and waits until it ends by itself.
 */
#include "../harness/harness.h"

int
main (void)
{
  char *argv[] = { "sleep", "1000", NULL };
  struct nbd_handle *h = nbd_create ();

  signal (SIGTERM, SIG_IGN);
  CHECK (nbd_aio_connect_systemd_socket_activation (h, argv) == 0);
  /* It returns, long before the server would have ended by itself. */
  nbd_close (h);
  return 0;
}
