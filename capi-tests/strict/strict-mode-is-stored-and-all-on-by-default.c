/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every check of LIBNBD_STRICT_MASK is on by default; other bits are refused
 * and leave the setting unchanged.
 * Source: nbd_set_strict_mode(3), nbd_get_strict_mode(3).
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_get_strict_mode (h) == LIBNBD_STRICT_MASK);
  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_BOUNDS) == 0);
  CHECK (nbd_get_strict_mode (h) == LIBNBD_STRICT_BOUNDS);
  CHECK_ERROR (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK + 1), EINVAL);
  CHECK (nbd_get_strict_mode (h) == LIBNBD_STRICT_BOUNDS);
  CHECK (nbd_set_strict_mode (h, 0) == 0);
  CHECK (nbd_get_strict_mode (h) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK) == 0);
  CHECK (nbd_get_strict_mode (h) == LIBNBD_STRICT_MASK);
  nbd_close (h);
  return 0;
}
