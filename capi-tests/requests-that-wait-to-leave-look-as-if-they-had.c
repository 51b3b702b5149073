/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether requests have really left does not show in the state, the direction
 * or the number of commands in flight; and a lone one leaves at once.
 * Source: libnbd(3) "Issuing asynchronous commands".
 */
#include "harness-bursts.h"

int
main (void)
{
  struct peer peer;
  struct nbd_handle *h = busy_handle (&peer);

  issue_flush (h);
  expect_requests (&peer, 1);

  for (int i = 2; i < 40; ++i) {
    issue_flush (h);
    CHECK (nbd_aio_is_ready (h) == 1);
    CHECK (nbd_aio_is_processing (h) == 0);
    CHECK (strncmp (nbd_connection_state (h), "READY", 5) == 0);
    CHECK (nbd_aio_in_flight (h) == i);
  }
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
  expect_requests (&peer, 38);

  nbd_close (h);
  peer_close (&peer);
  return 0;
}
