/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With FAST_ZERO the server may refuse a slow request, which is reported as
 * ENOTSUP; without the flag the same request succeeds.
 * Source: nbd_zero(3).
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M", "--slow-zero");

  CHECK (nbd_can_fast_zero (h) == 1);
  CHECK_ERROR (nbd_zero (h, 4096, 0, LIBNBD_CMD_FLAG_FAST_ZERO), ENOTSUP);
  CHECK (nbd_zero (h, 4096, 0, 0) == 0);
  nbd_close (h);
  return 0;
}
