/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The connection is made, encrypted or not as expected, and moves data.
 *
 * Source: nbd_set_tls(3), nbd_get_tls_negotiated(3), nbd_connect_uri(3).
 * ENCRYPTED in the environment is 1 or 0.
 */
#include "../harness/tls.h"

int
main (void)
{
  int encrypted = atoi (required_setting ("ENCRYPTED"));
  struct nbd_handle *h = configured ();

  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_get_tls_negotiated (h) == encrypted);
  check_data_flows (h);
  CHECK (nbd_get_tls_negotiated (h) == encrypted);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
