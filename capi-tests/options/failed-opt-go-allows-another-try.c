/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening an export that the server does not have fails with ENOENT and a
 * message that names it; in option mode negotiation continues, otherwise the
 * connection is dead.  The information of an earlier opt_info is discarded.
 *
 * Source: nbd_opt_go(3), nbd_opt_info(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  char **server = server_command ("--export", "disk", "--size", "1M");
  struct nbd_handle *h = connect_handle (in_opt_mode (nbd_create ()), server);

  CHECK (nbd_set_export_name (h, "disk") == 0);
  CHECK (nbd_opt_info (h) == 0);
  CHECK (nbd_set_export_name (h, "disc") == 0);
  CHECK_ERROR (nbd_opt_info (h), ENOENT);
  CHECK_MESSAGE ("nbd_opt_info: ");
  CHECK_ERROR (nbd_opt_go (h), ENOENT);
  CHECK_MESSAGE ("nbd_opt_go: ");
  CHECK_MESSAGE ("'disc'");
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK_ERROR (nbd_get_size (h), EINVAL);
  CHECK (nbd_set_export_name (h, "disk") == 0);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);

  h = nbd_create ();
  CHECK (nbd_set_export_name (h, "disc") == 0);
  CHECK_ERROR (nbd_connect_command (h, server), ENOENT);
  CHECK_MESSAGE ("nbd_connect_command: ");
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  return 0;
}
