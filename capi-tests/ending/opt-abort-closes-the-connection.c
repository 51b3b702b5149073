/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Negotiation can be ended without opening an export: with nbd_opt_abort,
 * nbd_aio_opt_abort or nbd_shutdown.  The connection is closed, not dead.
 *
 * Source: nbd_opt_abort(3), nbd_aio_opt_abort(3), nbd_shutdown(3).
 */
#include "../harness/harness.h"

static void
check_closed (struct nbd_handle *h)
{
  CHECK (nbd_aio_is_closed (h) == 1);
  CHECK (nbd_aio_is_dead (h) == 0);
  CHECK_ERROR (nbd_get_size (h), EINVAL);
  CHECK (strcmp (nbd_get_protocol (h), "newstyle-fixed") == 0);
  CHECK_ERROR (nbd_opt_abort (h), EINVAL);
  nbd_close (h);
}

int
main (void)
{
  struct nbd_handle *h;

  h = negotiating ("--size", "1M");
  CHECK (nbd_opt_abort (h) == 0);
  check_closed (h);

  h = negotiating ("--size", "1M");
  CHECK (nbd_shutdown (h, 0) == 0);
  check_closed (h);

  h = negotiating ("--size", "1M");
  CHECK (nbd_aio_opt_abort (h) == 0);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, -1) >= 0);
  check_closed (h);
  return 0;
}
