/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the handle requests meta contexts itself, nbd_opt_info and nbd_opt_go
 * select those that the program has named.  If it named none, previous
 * selections are discarded.  Otherwise they stay.
 * Source: nbd_set_request_meta_context(3); seen with libnbd 1.24.4.
 */
#include "../harness/commands.h"

static void
clear_and_go (bool by_itself, bool ask_first)
{
  char *queries[] = { LIBNBD_CONTEXT_BASE_ALLOCATION, NULL };
  struct record record = { .result = 0 };
  struct nbd_handle *h = in_opt_mode (nbd_create ());

  CHECK (nbd_set_request_meta_context (h, by_itself) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_opt_set_meta_context_queries (h, queries,
                                           (nbd_context_callback) {
                                               .user_data = &record,
                                               .free = count_free })
         == 1);
  CHECK (nbd_clear_meta_contexts (h) == 0);
  CHECK (nbd_can_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1);
  if (ask_first) {
    CHECK (nbd_opt_info (h) == 0);
    CHECK (nbd_can_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION)
           == !by_itself);
  }
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_can_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION)
         == !by_itself);
  if (by_itself)
    CHECK_ERROR (nbd_block_status (h, 512, 0, EXTENT (&record), 0), ENOTSUP);
  else
    CHECK (nbd_block_status (h, 512, 0, EXTENT (&record), 0) == 0);
  nbd_close (h);
}

int
main (void)
{
  clear_and_go (true, false);
  clear_and_go (true, true);
  clear_and_go (false, false);
  clear_and_go (false, true);
  return 0;
}
