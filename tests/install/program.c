/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the beginning of a disk, with a server that it starts itself:
 *
 *   program SERVER [ARGUMENT...]
 *
 * and prints which library it did that with, and what it read.
 */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <libnbd.h>

int
main (int argc, char *argv[])
{
  char text[6] = "";
  struct nbd_handle *nbd = nbd_create ();

  if (nbd == NULL || argc < 2 || nbd_connect_command (nbd, argv + 1) == -1
      || nbd_pread (nbd, text, sizeof text - 1, 0, 0) == -1
      || nbd_shutdown (nbd, 0) == -1) {
    fprintf (stderr, "%s\n", nbd_get_error ());
    return EXIT_FAILURE;
  }
  printf ("%s %s: %s\n", nbd_get_package_name (nbd), nbd_get_version (nbd),
          text);
  nbd_close (nbd);
  return EXIT_SUCCESS;
}
