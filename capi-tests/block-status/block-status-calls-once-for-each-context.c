/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With several meta contexts the extent callback is called for each of them,
 * with its own extents.
 * Source: nbd_block_status(3).
 */
#include "../harness/commands.h"

static int
see_context (void *user_data, const char *metacontext, uint64_t offset,
             uint32_t *entries, size_t nr_entries, int *error)
{
  int *seen = user_data;

  CHECK (*error == 0 && offset == 0);
  if (strcmp (metacontext, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0) {
    CHECK (nr_entries == 2);
    CHECK (entries[0] == 65536);
    CHECK (entries[1] == (LIBNBD_STATE_HOLE | LIBNBD_STATE_ZERO));
    seen[0]++;
  } else {
    CHECK (strcmp (metacontext, "x:parts") == 0);
    CHECK (nr_entries == 8);
    for (size_t i = 0; i < nr_entries; i += 2) {
      CHECK (entries[i] == 16384);
      CHECK (entries[i + 1] == (i % 4 == 0 ? 7 : 9));
    }
    seen[1]++;
  }
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  nbd_extent_callback callback = { .callback = see_context };
  int seen[2] = { 0, 0 };

  callback.user_data = seen;
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_add_meta_context (h, "x:parts") == 0);
  CHECK (nbd_add_meta_context (h, "x:unknown") == 0);
  connect_handle (h, server_command ("--size", "1M", "--context",
                                     "x:parts=16384:7,16384:9"));
  CHECK (nbd_block_status (h, 65536, 0, callback, 0) == 0);
  CHECK (seen[0] == 1 && seen[1] == 1);
  nbd_close (h);
  return 0;
}
