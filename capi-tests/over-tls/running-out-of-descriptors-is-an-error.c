/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Without free descriptors for the socket or for the key files, connecting with
 * TLS fails instead of falling back to no TLS or to no authorities; no
 * descriptor is leaked, and with enough of them the same connection succeeds.
 *
 * Source: open(2), socket(2) "ERRORS"; nbd_set_tls(3).
 */
#include "../harness/tls.h"
#include "../harness/descriptors.h"

int
main (void)
{
  int failures = 0;

  for (int more = 0;; ++more) {
    struct nbd_handle *h = configured ();
    int before = first_free ();
    rlim_t limit = set_limit (before + more);
    int r = connect_to_server (h);

    set_limit (limit);
    CHECK (more < 20);
    if (r == 0) {
      CHECK (nbd_get_tls_negotiated (h) == 1);
      check_data_flows (h);
      nbd_close (h);
      CHECK (first_free () == before);
      break;
    }
    ++failures;
    CHECK (nbd_get_error () != NULL);
    CHECK (nbd_aio_is_ready (h) == 0);
    CHECK (nbd_aio_is_created (h) == 1 || nbd_aio_is_dead (h) == 1);
    nbd_close (h);
    CHECK (first_free () == before);
  }
  CHECK (failures > 0);
  return 0;
}
