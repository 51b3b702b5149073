/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TLS that could not be loaded for lack of descriptors becomes available once
 * there are some: a temporary failure is not remembered.
 * Source: nbd_supports_tls(3); open(2) "ERRORS".
 */
#include "../harness/descriptors.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  rlim_t limit;

  CHECK (h != NULL);
  limit = set_limit (first_free ());
  /* A library that is already loaded needs no descriptor. */
  if (nbd_supports_tls (h) == 0)
    CHECK_ERROR (nbd_set_tls (h, LIBNBD_TLS_REQUIRE), ENOTSUP);
  set_limit (limit);
  CHECK (nbd_supports_tls (h) == 1);
  CHECK (nbd_set_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_REQUIRE);
  nbd_close (h);
  return 0;
}
