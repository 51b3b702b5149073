/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Until the server has been asked, the availability of a requested meta context
 * is unknown.  A server without structured replies has none, which is known as
 * soon as the export is.
 * Source: nbd_can_meta_context(3); outcomes of libnbd 1.24.4.
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_opt_mode (h, true) == 0);
  CHECK (nbd_connect_command (h, server_command ("--no-structured-replies"))
         == 0);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 0);
  CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
  CHECK_ERROR (nbd_can_meta_context (h, "base:allocation"), EINVAL);
  CHECK (nbd_opt_info (h) == 0);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 0);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 0);
  nbd_close (h);

  h = nbd_create ();
  CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
  CHECK (nbd_connect_command (h, server_command ("--oldstyle")) == 0);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 0);
  nbd_close (h);
  return 0;
}
