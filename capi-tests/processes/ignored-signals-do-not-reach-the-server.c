/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that ignores SIGTERM does not make its server ignore it, so closing
 * the handle stops a server with socket activation, which would otherwise keep
 * listening. The C library lets the server inherit it, and waits until it exits
 * by itself.
 */
#include "../harness/harness.h"

int
main (void)
{
  char *argv[] = { "sleep", "1000", NULL };
  struct nbd_handle *h = nbd_create ();

  signal (SIGTERM, SIG_IGN);
  CHECK (nbd_aio_connect_systemd_socket_activation (h, argv) == 0);
  /* nbd_close returns long before the server would have exited by itself. */
  nbd_close (h);
  return 0;
}
