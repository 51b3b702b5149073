/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs and build systems check this name and version. nbd_get_version_extra
 * identifies the build: not empty here, empty in the distribution's C library.
 * URIs and vsock are always supported, and TLS if GnuTLS is installed, as in
 * the tests.
 *
 * Source: nbd_get_package_name(3), nbd_get_version(3), nbd_get_version_extra(3),
 * nbd_supports_uri(3), nbd_supports_vsock(3), nbd_supports_tls(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (strcmp (nbd_get_package_name (h), "libnbd") == 0);
  CHECK (strcmp (nbd_get_version (h), "1.24.4") == 0);
  CHECK (nbd_get_version_extra (h) != NULL);
  CHECK (nbd_supports_uri (h) == 1);
  CHECK (nbd_supports_vsock (h) == 1);
  CHECK (nbd_supports_tls (h) == 1);

  /* These do not depend on the handle: the pointer is always the same. */
  struct nbd_handle *other = nbd_create ();
  const char *version = nbd_get_version (h);
  CHECK (nbd_get_version (other) == version);
  nbd_close (h);
  nbd_close (other);
  CHECK (strcmp (version, "1.24.4") == 0);
  return 0;
}
