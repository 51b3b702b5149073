/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting to a command that does not exist or exits at once fails without
 * leaving a process; an empty argument list is EINVAL and leaves the handle
 * unchanged.
 *
 * Source: nbd_connect_command(3), nbd_connect_systemd_socket_activation(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  char *none[] = { NULL };
  char *missing[] = { "/nonexistent/server", NULL };
  char *ends[] = { "/bin/true", NULL };
  struct nbd_handle *h = nbd_create ();

  CHECK_ERROR (nbd_connect_command (h, none), EINVAL);
  CHECK_ERROR (nbd_connect_systemd_socket_activation (h, none), EINVAL);
  CHECK (nbd_aio_is_created (h) == 1);
  nbd_close (h);

  h = nbd_create ();
  CHECK (nbd_connect_command (h, missing) == -1);
  CHECK (nbd_aio_is_ready (h) == 0);
  nbd_close (h);

  h = nbd_create ();
  CHECK (nbd_connect_command (h, ends) == -1);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);

  h = nbd_create ();
  CHECK (nbd_connect_systemd_socket_activation (h, ends) == -1);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);

  h = nbd_create ();
  CHECK (nbd_connect_systemd_socket_activation (h, missing) == -1);
  nbd_close (h);
  CHECK (waitpid (-1, NULL, WNOHANG) == -1 && errno == ECHILD);
  return 0;
}
