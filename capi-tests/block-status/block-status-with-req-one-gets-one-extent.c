/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With REQ_ONE there is one extent for each context, no longer than requested.
 * Source: nbd_block_status(3).
 */
#include "../harness/commands.h"

static int
see_one (void *user_data, const char *metacontext, uint64_t offset,
         nbd_extent *entries, size_t nr_entries, int *error)
{
  (void) metacontext;
  CHECK (*error == 0 && offset == 4096 && nr_entries == 1);
  *(uint64_t *) user_data = entries[0].length;
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  nbd_extent64_callback callback = { .callback = see_one };
  uint64_t length = 0;

  callback.user_data = &length;
  CHECK (nbd_add_meta_context (h, "x:parts") == 0);
  connect_handle (h, server_command ("--size", "1M", "--long-extents",
                                     "--context", "x:parts=16384:7,16384:9"));
  CHECK (nbd_block_status_64 (h, 65536, 4096, callback, LIBNBD_CMD_FLAG_REQ_ONE)
         == 0);
  CHECK (length == 16384 - 4096);
  CHECK (nbd_block_status_64 (h, 512, 4096, callback, LIBNBD_CMD_FLAG_REQ_ONE)
         == 0);
  CHECK (length == 512);
  nbd_close (h);
  return 0;
}
