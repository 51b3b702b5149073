/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting to the path of a Unix socket, and its failures: no such file, no
 * listener, a path that is too long.
 *
 * Source: nbd_connect_unix(3), nbd_aio_connect_unix(3).
 */
#include "../harness/harness.h"

static void
check_fails (const char *path, int error)
{
  struct nbd_handle *h = nbd_create ();

  CHECK_ERROR (nbd_connect_unix (h, path), error);
  CHECK (nbd_aio_is_ready (h) == 0);
  nbd_close (h);
}

int
main (void)
{
  const char *path = server_start ("--export", "disk", "--size", "1M");
  struct nbd_handle *h = nbd_create ();
  char long_path[200], *slash;
  struct nbd_handle *others[4];
  size_t i;

  CHECK (nbd_set_export_name (h, "disk") == 0);
  CHECK (nbd_connect_unix (h, path) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_get_size (h) == 1 << 20);

  /* Other clients may connect meanwhile. */
  for (i = 0; i < 4; ++i) {
    others[i] = nbd_create ();
    CHECK (nbd_aio_connect_unix (others[i], path) == 0);
  }
  for (i = 0; i < 4; ++i) {
    while (nbd_aio_is_connecting (others[i]))
      CHECK (nbd_poll (others[i], -1) == 1);
    CHECK (nbd_aio_is_ready (others[i]) == 1);
    nbd_close (others[i]);
  }
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);

  check_fails ("/nonexistent/socket", ENOENT);
  snprintf (long_path, sizeof long_path, "%s", path);
  slash = strrchr (long_path, '/');
  *slash = '\0';
  check_fails (long_path, ECONNREFUSED);
  memset (long_path, 'x', sizeof long_path - 1);
  long_path[sizeof long_path - 1] = '\0';
  check_fails (long_path, ENAMETOOLONG);
  return 0;
}
