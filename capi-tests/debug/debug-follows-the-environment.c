/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LIBNBD_DEBUG=1, and no other value, at the creation of a handle turns on its
 * debugging.
 *
 * Source: nbd_set_debug(3), nbd_get_debug(3); libnbd(3), "Environment".
 */
#include "../harness/harness.h"

/* Creates a handle with this value of the variable; returns true if it debugs.
 */
static int
debug_with (const char *value)
{
  struct nbd_handle *h;
  int debug;

  CHECK (setenv ("LIBNBD_DEBUG", value, 1) == 0);
  h = nbd_create ();
  CHECK (setenv ("LIBNBD_DEBUG", "0", 1) == 0);
  debug = nbd_get_debug (h);
  CHECK (nbd_set_debug (h, !debug) == 0);
  CHECK (nbd_get_debug (h) == !debug);
  CHECK (nbd_set_debug (h, false) == 0);
  nbd_close (h);
  return debug;
}

int
main (void)
{
  CHECK (debug_with ("1") == 1);
  CHECK (debug_with ("0") == 0);
  CHECK (debug_with ("") == 0);
  CHECK (debug_with ("true") == 0);
  CHECK (debug_with ("11") == 0);
  return 0;
}
