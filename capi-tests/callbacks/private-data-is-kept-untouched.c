/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The private field of a handle is initially 0 and keeps the value that the
 * program stores; storing returns the previous value.
 *
 * Source: nbd_set_private_data(3), nbd_get_private_data(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct nbd_handle *other = nbd_create ();
  int mine;

  CHECK (nbd_get_private_data (h) == 0);
  CHECK (nbd_set_private_data (h, 42) == 0);
  CHECK (nbd_set_private_data (h, (uintptr_t) &mine) == 42);
  CHECK (nbd_get_private_data (h) == (uintptr_t) &mine);
  CHECK (nbd_set_private_data (h, UINTPTR_MAX) == (uintptr_t) &mine);
  CHECK (nbd_get_private_data (h) == UINTPTR_MAX);
  CHECK (nbd_get_private_data (other) == 0);

  nbd_close (h);
  nbd_close (other);
  return 0;
}
