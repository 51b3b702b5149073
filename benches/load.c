/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A minimal program that uses the library.
 */

#include <stdlib.h>

#include <libnbd.h>

int
main (void)
{
  struct nbd_handle *nbd = nbd_create ();

  if (nbd == NULL)
    return EXIT_FAILURE;
  nbd_close (nbd);
  return EXIT_SUCCESS;
}
