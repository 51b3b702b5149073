/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With extended headers trim, zero, cache and block status take lengths of
 * 4 GiB and more.
 * Source: nbd_zero(3), nbd_get_extended_headers_negotiated(3).
 */
#include "../harness/commands.h"

#define SIZE (UINT64_C (1) << 42)

static int
see_hole (void *user_data, const char *metacontext, uint64_t offset,
          nbd_extent *entries, size_t nr_entries, int *error)
{
  (void) metacontext;
  CHECK (*error == 0 && offset == 0 && nr_entries == 1);
  CHECK (entries[0].length == SIZE);
  ++*(int *) user_data;
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  int calls = 0;

  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  connect_handle (h, server_command ("--size", "4T"));
  CHECK (nbd_get_extended_headers_negotiated (h) == 1);
  CHECK (nbd_pwrite (h, "data", 4, 5 * GIB, 0) == 0);
  CHECK (nbd_zero (h, SIZE, 0, 0) == 0);
  CHECK (nbd_trim (h, SIZE, 0, 0) == 0);
  CHECK (nbd_cache (h, 4 * GIB, 0, 0) == 0);
  CHECK (nbd_block_status_64 (h, SIZE, 0,
                              (nbd_extent64_callback) { .callback = see_hole,
                                                        .user_data = &calls },
                              0)
         == 0);
  CHECK (calls == 1);
  nbd_close (h);
  return 0;
}
