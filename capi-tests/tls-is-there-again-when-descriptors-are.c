/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TLS that could not be loaded for lack of descriptors is there as soon as
 * there are some: nothing is concluded from a failure that may pass.
 * Source: nbd_supports_tls(3); open(2) "ERRORS".
 */
#include "harness.h"

#include <sys/resource.h>

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct rlimit limits, few;
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  CHECK (h != NULL && fd >= 0);
  CHECK (close (fd) == 0);
  CHECK (getrlimit (RLIMIT_NOFILE, &limits) == 0);
  few = limits;
  few.rlim_cur = fd;
  CHECK (setrlimit (RLIMIT_NOFILE, &few) == 0);
  /* A library that is loaded already needs no descriptor. */
  if (nbd_supports_tls (h) == 0)
    CHECK_ERROR (nbd_set_tls (h, LIBNBD_TLS_REQUIRE), ENOTSUP);
  CHECK (setrlimit (RLIMIT_NOFILE, &limits) == 0);
  CHECK (nbd_supports_tls (h) == 1);
  CHECK (nbd_set_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_REQUIRE);
  nbd_close (h);
  return 0;
}
