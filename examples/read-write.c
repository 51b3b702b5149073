/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads and writes, one call after another.  Each call returns when the
 * server has answered.
 *
 *   cc read-write.c $(pkg-config --cflags --libs libnbd) -o read-write
 *   ./read-write nbd://localhost
 *
 * The first sector of the disk is overwritten, and restored afterwards.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd.h>

enum { LENGTH = 512 };

/* Most functions return -1 on failure.  The library then keeps the error for
 * the thread: its text, and in nbd_get_errno an errno if there is one. */
static int64_t
check (int64_t result)
{
  if (result == -1) {
    fprintf (stderr, "read-write: %s\n", nbd_get_error ());
    exit (EXIT_FAILURE);
  }
  return result;
}

int
main (int argc, char **argv)
{
  char before[LENGTH], text[LENGTH] = "Hello, disk!", after[LENGTH];
  struct nbd_handle *nbd;

  if (argc != 2) {
    fprintf (stderr, "usage: read-write URI\n");
    return EXIT_FAILURE;
  }

  /* A handle is one connection. */
  nbd = nbd_create ();
  if (nbd == NULL) {
    fprintf (stderr, "read-write: %s\n", nbd_get_error ());
    return EXIT_FAILURE;
  }
  check (nbd_connect_uri (nbd, argv[1]));
  printf ("The disk has %" PRIi64 " bytes.\n", check (nbd_get_size (nbd)));
  if (check (nbd_is_read_only (nbd))) {
    fprintf (stderr, "read-write: %s cannot be written to\n", argv[1]);
    return EXIT_FAILURE;
  }

  /* Buffer, length, offset, flags. */
  check (nbd_pread (nbd, before, LENGTH, 0, 0));
  check (nbd_pwrite (nbd, text, LENGTH, 0, 0));

  /* The data may still be in the server's memory.  A flush puts it on stable
   * storage; so does the flag LIBNBD_CMD_FLAG_FUA for a single write. */
  if (check (nbd_can_flush (nbd)))
    check (nbd_flush (nbd, 0));

  check (nbd_pread (nbd, after, LENGTH, 0, 0));
  check (nbd_pwrite (nbd, before, LENGTH, 0, 0));
  if (memcmp (text, after, LENGTH) != 0) {
    fprintf (stderr, "read-write: what was written did not come back\n");
    return EXIT_FAILURE;
  }
  printf ("It said: %s\n", after);

  /* Disconnects after all pending commands.  nbd_close alone would drop the
   * connection. */
  check (nbd_shutdown (nbd, 0));
  nbd_close (nbd);
  return EXIT_SUCCESS;
}
