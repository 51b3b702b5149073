/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists the allocated parts of a disk, and those that changed since a qemu
 * bitmap was made, which an incremental backup has to copy.
 *
 *   cc extents.c $(pkg-config --cflags --libs libnbd) -o extents
 *   qemu-nbd --format=qcow2 --bitmap=monday disk.qcow2 &
 *   ./extents nbd://localhost monday
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd.h>

/* Prefix of qemu's bitmap contexts, and their flag for "changed". */
#define DIRTY_BITMAP "qemu:dirty-bitmap:"
#define DIRTY UINT64_C (1)

/* Maximum length of one block status request. */
#define MOST (UINT64_C (1) << 30)

static void
die (const char *what, const char *why)
{
  fprintf (stderr, "extents: %s: %s\n", what, why);
  exit (EXIT_FAILURE);
}

static const char *
meaning (const char *context, uint64_t flags)
{
  if (strncmp (context, DIRTY_BITMAP, strlen (DIRTY_BITMAP)) == 0)
    return flags & DIRTY ? "dirty" : "clean";
  if (strcmp (context, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0)
    switch (flags & (LIBNBD_STATE_HOLE | LIBNBD_STATE_ZERO)) {
    case 0:
      return "data";
    case LIBNBD_STATE_ZERO:
      return "zeroes";
    case LIBNBD_STATE_HOLE:
      return "hole of unknown content";
    default:
      return "hole";
    }
  return "?";
}

/* Called once for each context of the connection, with consecutive extents that
 * start at `offset`. */
static int
show (void *opaque, const char *context, uint64_t offset, nbd_extent *extents,
      size_t count, int *error)
{
  uint64_t *next = opaque, end = offset;

  (void) error;
  for (size_t i = 0; i < count; i++) {
    printf ("%-30s %10" PRIu64 " %10" PRIu64 " %s\n", context, end,
            extents[i].length, meaning (context, extents[i].flags));
    end += extents[i].length;
  }
  /* Contexts may be described up to different places: continue at the first,
   * and see some of the other extents again. */
  if (*next == offset || end < *next)
    *next = end;
  return 0;
}

int
main (int argc, char **argv)
{
  struct nbd_handle *nbd = nbd_create ();
  char bitmap[256];
  int64_t size;

  if (argc < 2 || argc > 3)
    die ("usage", "extents URI [BITMAP]");

  /* Contexts are negotiated in the handshake: request them before connecting.
   */
  if (nbd == NULL
      || nbd_add_meta_context (nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) == -1)
    die ("nbd", nbd_get_error ());
  if (argc == 3) {
    snprintf (bitmap, sizeof bitmap, DIRTY_BITMAP "%s", argv[2]);
    if (nbd_add_meta_context (nbd, bitmap) == -1)
      die (bitmap, nbd_get_error ());
  }
  if (nbd_connect_uri (nbd, argv[1]) == -1 || (size = nbd_get_size (nbd)) == -1)
    die (argv[1], nbd_get_error ());

  /* A server silently omits contexts that it does not know. */
  if (nbd_can_meta_context (nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) != 1)
    die (argv[1], "the server does not report allocation");
  if (argc == 3 && nbd_can_meta_context (nbd, bitmap) != 1)
    die (bitmap, "the server has no such bitmap");

  printf ("%-30s %10s %10s\n", "context", "offset", "length");
  for (uint64_t offset = 0, next; offset < (uint64_t) size; offset = next) {
    uint64_t left = (uint64_t) size - offset;
    nbd_extent64_callback callback = { .callback = show, .user_data = &next };

    next = offset;
    if (nbd_block_status_64 (nbd, left < MOST ? left : MOST, offset, callback,
                             0)
        == -1)
      die (argv[1], nbd_get_error ());
    if (next == offset)
      die (argv[1], "the server describes nothing");
  }

  if (nbd_shutdown (nbd, 0) == -1)
    die (argv[1], nbd_get_error ());
  nbd_close (nbd);
  return EXIT_SUCCESS;
}
