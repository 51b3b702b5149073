/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_block_status truncates an extent of 4 GiB or more and ends its list
 * there; nbd_block_status_64 reports such extents in full.
 * Source: nbd_block_status(3), nbd_block_status_64(3).
 */
#include "../harness/commands.h"

static int
see_cut (void *user_data, const char *metacontext, uint64_t offset,
         uint32_t *entries, size_t nr_entries, int *error)
{
  (void) metacontext;
  CHECK (*error == 0 && offset == 0 && nr_entries == 4);
  CHECK (entries[0] == 4096 && entries[1] == 1);
  CHECK (entries[2] >= GIB && entries[3] == 2);
  ++*(int *) user_data;
  return 0;
}

static int
see_whole (void *user_data, const char *metacontext, uint64_t offset,
           nbd_extent *entries, size_t nr_entries, int *error)
{
  (void) metacontext;
  CHECK (*error == 0 && offset == 0 && nr_entries == 3);
  CHECK (entries[0].length == 4096 && entries[0].flags == 1);
  CHECK (entries[1].length == 8 * GIB && entries[1].flags == 2);
  CHECK (entries[2].length == 4096 && entries[2].flags == 3);
  ++*(int *) user_data;
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  nbd_extent_callback cut = { .callback = see_cut };
  nbd_extent64_callback whole = { .callback = see_whole };
  int calls = 0;

  cut.user_data = whole.user_data = &calls;
  CHECK (nbd_add_meta_context (h, "x:long") == 0);
  connect_handle (h, server_command ("--size", "1T", "--context",
                                     "x:long=4k:1,8G:2,4k:3,8G:4"));
  CHECK (nbd_block_status (h, 8 * GIB + 8192, 0, cut, 0) == 0);
  CHECK (nbd_block_status_64 (h, 8 * GIB + 8192, 0, whole, 0) == 0);
  CHECK (calls == 2);
  nbd_close (h);
  return 0;
}
