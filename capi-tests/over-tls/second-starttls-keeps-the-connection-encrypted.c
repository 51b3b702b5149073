/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After the library has started TLS itself, the server refuses a manual
 * request, and the connection stays encrypted.
 *
 * Source: nbd_opt_starttls(3): a second request "does not downgrade a TLS session
 * that has already been established".
 */
#include "../harness/tls.h"

int
main (void)
{
  struct nbd_handle *h = in_opt_mode (configured ());

  CHECK (nbd_set_export_name (h, required_setting ("EXPORT")) == 0);
  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  CHECK (nbd_get_structured_replies_negotiated (h) == 1);
  CHECK (nbd_opt_starttls (h) == 0);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  CHECK (nbd_get_structured_replies_negotiated (h) == 1);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  check_data_flows (h);
  nbd_close (h);
  return 0;
}
