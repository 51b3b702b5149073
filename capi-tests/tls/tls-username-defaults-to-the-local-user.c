/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* By default the TLS user is the one named by LOGNAME.
 *
 * Source: nbd_set_tls_username(3); libnbd(3), "Environment".
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (setenv ("LOGNAME", "somebody", 1) == 0);
  CHECK_STRING (nbd_get_tls_username (h), "somebody");
  CHECK (nbd_set_tls_username (h, "alice") == 0);
  CHECK_STRING (nbd_get_tls_username (h), "alice");
  nbd_close (h);
  return 0;
}
