/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Refers to an extension with a weak reference, and says whether it is there.
 * With the C library the program does not start: libnbd-ext(3).
 */

#include <stdio.h>

#include <libnbd-ext.h>

#pragma weak nbd_ext_get_user_timeout

int
main (void)
{
  nbd_close (nbd_create ());
  printf ("%s\n", nbd_ext_get_user_timeout ? "it is there" : "it is missing");
  return 0;
}
