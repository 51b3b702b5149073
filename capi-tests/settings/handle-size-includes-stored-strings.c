/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The estimated memory of a handle is positive and grows by at least the length
 * of a string that the handle stores.
 *
 * Source: nbd_get_handle_size(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  char name[100001];
  ssize_t before = nbd_get_handle_size (h);

  CHECK (before > 0);
  memset (name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  CHECK (nbd_set_handle_name (h, name) == 0);
  CHECK (nbd_get_handle_size (h) >= before + 90000);

  nbd_close (h);
  return 0;
}
