/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An "nbds" scheme sets TLS to required; other schemes leave the program's
 * setting unchanged.
 *
 * Source: nbd_connect_uri(3), "URI scheme".
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  const char *uri = "nbds+unix://alice@/?socket=/nonexistent/socket";

  CHECK_ERROR (nbd_connect_uri (h, uri), ENOENT);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_REQUIRE);
  CHECK_STRING (nbd_get_tls_username (h), "alice");
  nbd_close (h);

  h = nbd_create ();
  CHECK (nbd_set_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  CHECK (nbd_connect_uri (h, "nbd+unix:///?socket=/nonexistent/socket") == -1);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_REQUIRE);
  nbd_close (h);
  return 0;
}
