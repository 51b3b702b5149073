/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Commands on a connected handle need no more stack than the smallest thread
 * has.
 */
#include "../harness/stack.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");

  use_small_stack (h);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
