/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Closing NULL does nothing, so that a program may close a handle that it
 * failed to create; the last error is kept.
 *
 * Source: the examples in libnbd(3) close the handle that nbd_create(3) did not
 * return.
 */
#define LIBNBD_ATTRIBUTE_NONNULL(...)
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK_ERROR (nbd_connect_unix (h, "/nonexistent/socket"), ENOENT);
  nbd_close (h);
  nbd_close (NULL);
  CHECK (nbd_get_errno () == ENOENT);
  return 0;
}
