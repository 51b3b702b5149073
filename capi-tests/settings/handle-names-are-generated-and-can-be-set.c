/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Handles are named nbd1, nbd2, ... in order of creation, until the program
 * sets another name.
 *
 * Source: nbd_set_handle_name(3), nbd_get_handle_name(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *first = nbd_create ();
  struct nbd_handle *second = nbd_create ();
  struct nbd_handle *third;

  CHECK (first != NULL && second != NULL);
  CHECK_STRING (nbd_get_handle_name (first), "nbd1");
  CHECK_STRING (nbd_get_handle_name (second), "nbd2");

  CHECK (nbd_set_handle_name (first, "disk of the guest") == 0);
  CHECK_STRING (nbd_get_handle_name (first), "disk of the guest");
  CHECK (nbd_set_handle_name (first, "") == 0);
  CHECK_STRING (nbd_get_handle_name (first), "");

  /* The number of a closed handle is not reused. */
  nbd_close (second);
  third = nbd_create ();
  CHECK_STRING (nbd_get_handle_name (third), "nbd3");

  nbd_close (first);
  nbd_close (third);
  return 0;
}
