/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The TLS settings are stored without checks and read back unchanged.
 *
 * Source: nbd_set_tls(3), nbd_set_tls_certificates(3), nbd_set_tls_username(3),
 * nbd_set_tls_hostname(3), nbd_set_tls_psk_file(3), nbd_set_tls_priority(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_REQUIRE);
  CHECK (nbd_set_tls (h, LIBNBD_TLS_ALLOW) == 0);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_ALLOW);
  CHECK (nbd_set_tls_username (h, "alice") == 0);
  CHECK_STRING (nbd_get_tls_username (h), "alice");
  CHECK (nbd_set_tls_hostname (h, "disk.example.com") == 0);
  CHECK_STRING (nbd_get_tls_hostname (h), "disk.example.com");
  CHECK (nbd_set_tls_priority (h, "SECURE256:-VERS-ALL") == 0);
  CHECK_STRING (nbd_get_tls_priority (h), "SECURE256:-VERS-ALL");
  CHECK (nbd_get_tls_verify_peer (h) == 1);
  CHECK (nbd_set_tls_verify_peer (h, false) == 0);
  CHECK (nbd_get_tls_verify_peer (h) == 0);
  CHECK (nbd_set_tls (h, LIBNBD_TLS_DISABLE) == 0);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_DISABLE);
  CHECK_STRING (nbd_get_tls_username (h), "alice");
  CHECK (nbd_set_tls_certificates (h, "/nonexistent") == 0);
  CHECK (nbd_set_tls_psk_file (h, "/nonexistent") == 0);
  nbd_close (h);
  return 0;
}
