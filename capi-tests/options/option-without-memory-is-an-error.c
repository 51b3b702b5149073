/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If there is no memory for an option, the call fails, its completion callback
 * is not called, and the negotiation is unchanged.
 * Source: nbd_opt_go(3), nbd_aio_opt_go(3).
 */
#include "../harness/memory.h"

#define CONTEXTS 8192
#define LENGTH 4096

int
main (void)
{
  struct nbd_handle *h = negotiating ("--size", "1M");
  struct record record = { .result = 0 };
  char name[LENGTH + 1];

  memset (name, 'x', LENGTH);
  name[LENGTH] = '\0';
  for (int i = 0; i < CONTEXTS; ++i)
    CHECK (nbd_add_meta_context (h, name) == 0);

  if (can_run_out ()) {
    last_refused = LONG_MAX;
    CHECK_ERROR (nbd_opt_go (h), ENOMEM);
    CHECK_ERROR (nbd_opt_info (h), ENOMEM);
    CHECK_ERROR (nbd_aio_opt_go (h, COMPLETION (&record)), ENOMEM);
    CHECK_RECORD (record, "c");
    CHECK (nbd_aio_is_negotiating (h) == 1);
    last_refused = -1;
  }
  CHECK (nbd_clear_meta_contexts (h) == 0);
  CHECK (nbd_opt_go (h) == 0);
  nbd_close (h);
  return 0;
}
