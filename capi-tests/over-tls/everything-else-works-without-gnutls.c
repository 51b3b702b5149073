/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If GnuTLS cannot be loaded, calls that request TLS fail with ENOTSUP, and
 * everything else works.
 *
 * Source: nbd_supports_tls(3), nbd_set_tls(3), nbd_opt_starttls(3).
 */
#include "../harness/tls.h"

int
main (void)
{
  const char *server = required_setting ("SERVER");
  struct nbd_handle *h = nbd_create ();
  struct record record = { .error = -1 };
  char uri[4096];

  CHECK (nbd_supports_tls (h) == 0);
  CHECK_ERROR (nbd_set_tls (h, LIBNBD_TLS_REQUIRE), ENOTSUP);
  CHECK_MESSAGE ("TLS");
  CHECK_ERROR (nbd_set_tls (h, LIBNBD_TLS_ALLOW), ENOTSUP);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_DISABLE);
  CHECK (nbd_set_tls (h, LIBNBD_TLS_DISABLE) == 0);
  CHECK (nbd_set_tls_certificates (h, "/nonexistent") == 0);
  CHECK (nbd_set_tls_psk_file (h, "/nonexistent") == 0);
  CHECK (nbd_set_tls_username (h, "alice") == 0);
  CHECK_STRING (nbd_get_tls_username (h), "alice");
  CHECK (nbd_set_tls_hostname (h, "localhost") == 0);
  CHECK (nbd_set_tls_priority (h, "NORMAL") == 0);

  CHECK (strncmp (server, "unix:", 5) == 0);
  snprintf (uri, sizeof uri, "nbds+unix:///?socket=%s", server + 5);
  CHECK_ERROR (nbd_connect_uri (h, uri), ENOTSUP);
  check_unusable (h);
  nbd_close (h);

  h = in_opt_mode (nbd_create ());
  CHECK (connect_to_server (h) == 0);
  CHECK_ERROR (nbd_opt_starttls (h), ENOTSUP);
  CHECK_ERROR (nbd_aio_opt_starttls (h, COMPLETION (&record)), ENOTSUP);
  CHECK_RECORD (record, "c");
  CHECK (nbd_get_tls_negotiated (h) == 0);
  CHECK (nbd_opt_go (h) == 0);
  check_data_flows (h);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);

  h = nbd_create ();
  snprintf (uri, sizeof uri, "nbd+unix:///?socket=%s", server + 5);
  CHECK (nbd_connect_uri (h, uri) == 0);
  check_data_flows (h);
  nbd_close (h);
  return 0;
}
