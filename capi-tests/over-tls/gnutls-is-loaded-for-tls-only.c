/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A process that never requests TLS does not load GnuTLS: not for a connection,
 * not for data, not for TLS settings without effect.
 */
#include "../harness/tls.h"

static bool
is_loaded (void)
{
  FILE *maps = fopen ("/proc/self/maps", "re");
  bool loaded = false, libnbd = false;
  char line[4096];

  CHECK (maps != NULL);
  while (fgets (line, sizeof line, maps)) {
    loaded |= strstr (line, "libgnutls") != NULL;
    libnbd |= strstr (line, "libnbd") != NULL;
  }
  fclose (maps);
  CHECK (libnbd);
  return loaded;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (!is_loaded ());
  CHECK (nbd_set_tls (h, LIBNBD_TLS_DISABLE) == 0);
  CHECK (nbd_set_tls_certificates (h, "/nonexistent") == 0);
  CHECK (nbd_set_tls_username (h, "alice") == 0);
  CHECK (nbd_set_tls_verify_peer (h, true) == 0);
  CHECK (nbd_set_tls_priority (h, "NORMAL") == 0);
  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 0);
  check_data_flows (h);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  CHECK (!is_loaded ());

  h = in_opt_mode (nbd_create ());
  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_opt_go (h) == 0);
  nbd_close (h);
  CHECK (!is_loaded ());

  h = nbd_create ();
  CHECK (nbd_supports_tls (h) == 1);
  CHECK (nbd_set_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  CHECK (is_loaded ());
  nbd_close (h);
  return 0;
}
