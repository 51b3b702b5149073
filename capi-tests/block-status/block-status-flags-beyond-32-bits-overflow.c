/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A 32-bit caller gets EOVERFLOW for flags of more than 32 bits, and the call
 * fails; a 64-bit caller sees them.
 * Source: nbd_block_status(3).
 */
#include "../harness/commands.h"

static int
see_overflow (void *user_data, const char *metacontext, uint64_t offset,
              uint32_t *entries, size_t nr_entries, int *error)
{
  (void) metacontext, (void) offset;
  CHECK (*error == EOVERFLOW);
  CHECK (nr_entries == 2 && entries[0] == 4096);
  ++*(int *) user_data;
  return 0;
}

static int
see_flags (void *user_data, const char *metacontext, uint64_t offset,
           nbd_extent *entries, size_t nr_entries, int *error)
{
  (void) metacontext, (void) offset;
  CHECK (*error == 0 && nr_entries == 2);
  CHECK (entries[0].flags == UINT64_C (0x100000001));
  CHECK (entries[1].flags == 5);
  ++*(int *) user_data;
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  nbd_extent_callback narrow = { .callback = see_overflow };
  nbd_extent64_callback wide = { .callback = see_flags };
  int calls = 0;

  narrow.user_data = wide.user_data = &calls;
  CHECK (nbd_add_meta_context (h, "x:wide") == 0);
  connect_handle (h, server_command ("--size", "1M", "--context",
                                     "x:wide=4096:0x100000001,4096:5"));
  CHECK_ERROR (nbd_block_status (h, 8192, 0, narrow, 0), EOVERFLOW);
  CHECK (nbd_block_status_64 (h, 8192, 0, wide, 0) == 0);
  CHECK (calls == 2);
  nbd_close (h);
  return 0;
}
