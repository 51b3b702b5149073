/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Starts a server, as nbd_connect_command or nbd_connect_systemd_socket_activation
 * do, prints what it finds there, uses it, and stops it.
 *
 *   starts-a-server command|activation PROGRAM ARGUMENTS...
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <libnbd.h>

enum { LENGTH = 65536 };

static int64_t
check (int64_t result)
{
  if (result == -1) {
    fprintf (stderr, "starts-a-server: %s\n", nbd_get_error ());
    exit (EXIT_FAILURE);
  }
  return result;
}

static int
show_extent (void *opaque, const char *context, uint64_t offset,
             uint32_t *entries, size_t count, int *error)
{
  (void) opaque;
  (void) error;
  for (size_t i = 0; i < count; i += 2) {
    printf ("%s: %" PRIu64 " + %" PRIu32 ": %" PRIu32 "\n", context, offset,
            entries[i], entries[i + 1]);
    offset += entries[i];
  }
  return 0;
}

static void
show_map (struct nbd_handle *nbd, int64_t size)
{
  nbd_extent_callback callback = { .callback = show_extent };

  if (check (nbd_can_meta_context (nbd, LIBNBD_CONTEXT_BASE_ALLOCATION)))
    check (nbd_block_status (nbd, (uint64_t) size, 0, callback, 0));
  else
    puts ("no map");
}

/* FNV-1a */
static void
show_hash (struct nbd_handle *nbd, int64_t size)
{
  static unsigned char data[LENGTH];
  uint64_t hash = UINT64_C (0xcbf29ce484222325);

  for (int64_t offset = 0; offset < size; offset += LENGTH) {
    size_t length = size - offset < LENGTH ? (size_t) (size - offset) : LENGTH;

    check (nbd_pread (nbd, data, length, (uint64_t) offset, 0));
    for (size_t i = 0; i < length; i++)
      hash = (hash ^ data[i]) * UINT64_C (0x100000001b3);
  }
  printf ("hash %016" PRIx64 "\n", hash);
}

int
main (int argc, char **argv)
{
  struct nbd_handle *nbd = nbd_create ();
  static char data[LENGTH], back[LENGTH];
  int64_t size;

  if (nbd == NULL || argc < 3)
    return EXIT_FAILURE;
  check (nbd_add_meta_context (nbd, LIBNBD_CONTEXT_BASE_ALLOCATION));
  if (strcmp (argv[1], "command") == 0)
    check (nbd_connect_command (nbd, argv + 2));
  else
    check (nbd_connect_systemd_socket_activation (nbd, argv + 2));

  size = check (nbd_get_size (nbd));
  printf ("%s, %" PRIi64 " bytes, preferred block %" PRIi64 "\n",
          nbd_get_protocol (nbd), size,
          check (nbd_get_block_size (nbd, LIBNBD_SIZE_PREFERRED)));
  show_map (nbd, size);
  show_hash (nbd, size);

  if (!check (nbd_is_read_only (nbd))) {
    memset (data, 0x42, sizeof data);
    check (nbd_pwrite (nbd, data, LENGTH, LENGTH, 0));
    if (check (nbd_can_zero (nbd)))
      check (nbd_zero (nbd, LENGTH, 3 * LENGTH, 0));
    if (check (nbd_can_flush (nbd)))
      check (nbd_flush (nbd, 0));
    check (nbd_pread (nbd, back, LENGTH, LENGTH, 0));
    printf ("comes back: %d\n", memcmp (data, back, LENGTH) == 0);
    show_map (nbd, size);
    show_hash (nbd, size);
  }

  check (nbd_shutdown (nbd, 0));
  nbd_close (nbd);
  /* The library has waited for the child that it started. */
  printf ("no child is left: %d\n",
          waitpid (-1, NULL, WNOHANG) == -1 && errno == ECHILD);
  return EXIT_SUCCESS;
}
