/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Before the first failure there is no error.  Afterwards, its text and errno
 * can be read any number of times, even after successful calls and after the
 * handle was closed.
 *
 * Source: nbd_get_error(3), nbd_get_errno(3); that success keeps the error is
 * what the C library does.
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h;

  CHECK (nbd_get_error () == NULL);
  CHECK (nbd_get_errno () == 0);
  h = nbd_create ();
  CHECK (nbd_get_error () == NULL);

  CHECK_ERROR (nbd_connect_unix (h, "/nonexistent/socket"), ENOENT);
  CHECK_MESSAGE ("nbd_connect_unix: ");
  CHECK (nbd_get_errno () == ENOENT);
  CHECK_MESSAGE ("nbd_connect_unix: ");

  CHECK (nbd_set_handle_name (h, "name") == 0);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK_STRING (nbd_get_export_name (h), "");
  CHECK (nbd_get_errno () == ENOENT);
  CHECK_MESSAGE ("nbd_connect_unix: ");

  CHECK_ERROR (nbd_set_strict_mode (h, ~0u), EINVAL);
  CHECK_MESSAGE ("nbd_set_strict_mode: ");
  nbd_close (h);
  CHECK (nbd_get_errno () == EINVAL);
  CHECK_MESSAGE ("nbd_set_strict_mode: ");
  return 0;
}
