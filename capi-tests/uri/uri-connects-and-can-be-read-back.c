/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting to a URI, and reading back the URI of the connection: for Unix
 * sockets and TCP it is equal or equivalent.  In option mode it follows the
 * export name.  A connection to a server without an address has none.
 *
 * Source: nbd_connect_uri(3), nbd_aio_connect_uri(3), nbd_get_uri(3).
 */
#include "../harness/harness.h"

static char uri[256], expected[256];

static void
check (bool opt_mode)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_opt_mode (h, opt_mode) == 0);
  CHECK_NULL (nbd_get_uri (h), ENOTCONN);
  if (opt_mode) {
    CHECK (nbd_aio_connect_uri (h, uri) == 0);
    while (nbd_aio_is_connecting (h))
      CHECK (nbd_poll (h, -1) == 1);
  } else
    CHECK (nbd_connect_uri (h, uri) == 0);
  CHECK_STRING (nbd_get_uri (h), expected);
  if (opt_mode)
    CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK_STRING (nbd_get_uri (h), expected);
  nbd_close (h);
}

int
main (void)
{
  const char *path = server_start ("--export", "disk", "--size", "1M",
                                   "--export", "a/b c", "--size", "1M");
  struct nbd_handle *h;

  snprintf (uri, sizeof uri, "nbd+unix:///disk?socket=%s", path);
  snprintf (expected, sizeof expected, "%s", uri);
  check (false);
  check (true);

  snprintf (uri, sizeof uri, "nbd+unix:///a%%2fb%%20c?socket=%s", path);
  snprintf (expected, sizeof expected, "nbd+unix:///a/b%%20c?socket=%s", path);
  check (false);

  /* Everything in the authority except the user is ignored. */
  snprintf (uri, sizeof uri, "NBD+UNIX://bob@host:1?SOCKET=%s", path);
  snprintf (expected, sizeof expected, "nbd+unix://bob@/?socket=%s", path);
  check (true);

  h = nbd_create ();
  CHECK (nbd_set_opt_mode (h, true) == 0);
  snprintf (uri, sizeof uri, "nbd+unix:///x?socket=%s", path);
  CHECK (nbd_connect_uri (h, uri) == 0);
  CHECK_STRING (nbd_get_uri (h), uri);
  CHECK (nbd_set_export_name (h, "disk") == 0);
  snprintf (uri, sizeof uri, "nbd+unix:///disk?socket=%s", path);
  CHECK_STRING (nbd_get_uri (h), uri);
  nbd_close (h);

  h = connected ("--size", "1M");
  CHECK_NULL (nbd_get_uri (h), EINVAL);
  nbd_close (h);
  return 0;
}
