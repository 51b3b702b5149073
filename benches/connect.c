/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Connects and disconnects repeatedly.
 */

#include <libnbd.h>

#include "arguments.h"
#include "measure.h"

static void
fail (void)
{
  fprintf (stderr, "%s\n", nbd_get_error ());
  exit (EXIT_FAILURE);
}

int
main (int argc, char *argv[])
{
  struct arguments it = parse_arguments (argc, argv);
  struct moment start = moment_now ();

  for (long n = 0; n < it.operations; n++) {
    struct nbd_handle *nbd = nbd_create ();

    if (nbd == NULL || nbd_connect_uri (nbd, it.target) == -1
        || nbd_shutdown (nbd, 0) == -1)
      fail ();
    nbd_close (nbd);
  }
  report_since (start, it.operations, "library");
  return EXIT_SUCCESS;
}
