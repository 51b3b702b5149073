/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A closure without a callback but with a free function is never called and is
 * freed when the command is retired; it does not count as NULL.
 * Source: libnbd(3), "Callback lifetimes".
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  int freed = 0;
  nbd_completion_callback only_free = { .callback = NULL };
  nbd_chunk_callback no_chunk = { .free = count_free };
  nbd_extent_callback no_extent = { .free = count_free };
  nbd_extent64_callback no_extent64 = { .free = count_free };
  int64_t cookie;
  char buf[512];

  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  no_chunk.user_data = no_extent.user_data = no_extent64.user_data = &freed;
  only_free.user_data = &freed;
  only_free.free = count_free;
  cookie = nbd_aio_flush (h, only_free, 0);
  CHECK (freed == 0);
  CHECK (wait_for (h, cookie) == 1);
  CHECK (freed == 1);
  CHECK (nbd_pread_structured (h, buf, 512, 0, no_chunk, 0) == 0);
  CHECK (freed == 2);
  CHECK (nbd_block_status (h, 512, 0, no_extent, 0) == 0);
  CHECK (freed == 3);
  CHECK (nbd_block_status_64 (h, 512, 0, no_extent64, 0) == 0);
  CHECK (freed == 4);
  cookie = nbd_aio_flush (h, only_free, 0);
  CHECK (cookie > 0);
  nbd_close (h);
  CHECK (freed == 5);
  return 0;
}
