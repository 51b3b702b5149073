/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Block status reports the allocated parts of the disk: all three calls agree,
 * and zeroing a range changes the map.
 * Source: nbd_block_status(3), nbd_block_status_64(3).
 */
#include "../harness/commands.h"

#define SIZE (4 * MIB)

struct map {
  char letters[SIZE / (64 * 1024) + 1]; /* one for each 64 KiB */
  uint64_t end;
};

static void
add_extent (struct map *map, uint64_t length, uint64_t flags)
{
  for (uint64_t i = 0; i < length; i += 64 * KIB)
    map->letters[(map->end + i) / (64 * KIB)] = flags & LIBNBD_STATE_HOLE ? '.'
                                                                          : '#';
  map->end += length;
}

static int
add_extents (void *user_data, const char *metacontext, uint64_t offset,
             uint32_t *entries, size_t nr_entries, int *error)
{
  struct map *map = user_data;

  CHECK (strcmp (metacontext, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (*error == 0 && offset == map->end);
  CHECK (nr_entries > 0 && nr_entries % 2 == 0);
  for (size_t i = 0; i < nr_entries; i += 2)
    add_extent (map, entries[i], entries[i + 1]);
  return 0;
}

static int
add_extents_64 (void *user_data, const char *metacontext, uint64_t offset,
                nbd_extent *entries, size_t nr_entries, int *error)
{
  struct map *map = user_data;

  CHECK (strcmp (metacontext, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (*error == 0 && offset == map->end && nr_entries > 0);
  for (size_t i = 0; i < nr_entries; ++i)
    add_extent (map, entries[i].length, entries[i].flags);
  return 0;
}

static void
check_map (struct nbd_handle *h, const char *expected)
{
  struct map map = { .end = 0 }, map64 = { .end = 0 };

  while (map.end < SIZE)
    CHECK (nbd_block_status (h, SIZE - map.end, map.end,
                             (nbd_extent_callback) { .callback = add_extents,
                                                     .user_data = &map },
                             0)
           == 0);
  while (map64.end < SIZE)
    CHECK (nbd_block_status_64 (h, SIZE - map64.end, map64.end,
                                (nbd_extent64_callback) {
                                    .callback = add_extents_64,
                                    .user_data = &map64 },
                                0)
           == 0);
  CHECK (strcmp (map.letters, expected) == 0);
  CHECK (strcmp (map64.letters, expected) == 0);
}

static void
map_disk (char **command)
{
  struct nbd_handle *h = nbd_create ();
  static char data[MIB];

  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_connect_command (h, command) == 0);
  CHECK (nbd_can_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1);
  check_map (h, "................................"
                "................................");
  memset (data, 'd', sizeof data);
  CHECK (nbd_pwrite (h, data, sizeof data, MIB, 0) == 0);
  check_map (h, "................################"
                "................................");
  CHECK (nbd_trim (h, 512 * KIB, MIB + 256 * KIB, 0) == 0);
  check_map (h, "................####........####"
                "................................");
  nbd_close (h);
}

int
main (void)
{
  map_disk (server_command ("--size", "4M"));
  map_disk (server_command ("--size", "4M", "--no-extended-headers"));
  return 0;
}
