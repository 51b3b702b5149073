/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Without extended headers, requests of 4 GiB or more are refused with ERANGE
 * in every strict mode; smaller ones are sent.
 * Source: nbd_zero(3).
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct record record = { .result = 0 };

  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  connect_handle (h, server_command ("--size", "1T", "--no-extended-headers"));
  for (int i = 0; i < 2; ++i) {
    CHECK_ERROR (nbd_zero (h, 4 * GIB, 0, 0), ERANGE);
    CHECK_EXACT_MESSAGE (with_reason ("nbd_zero: request too large: maximum "
                                      "request size is 4294967295",
                                      ERANGE));
    CHECK_ERROR (nbd_trim (h, 4 * GIB, 0, 0), ERANGE);
    CHECK_ERROR (nbd_cache (h, 4 * GIB, 0, 0), ERANGE);
    CHECK_ERROR (nbd_block_status (h, 4 * GIB, 0, EXTENT (&record), 0), ERANGE);
    CHECK_ERROR (nbd_block_status_64 (h, 4 * GIB, 0, EXTENT64 (&record), 0),
                 ERANGE);
    CHECK (nbd_trim (h, 4 * GIB - 1, 0, 0) == 0);
    CHECK (nbd_set_strict_mode (h, 0) == 0);
  }
  CHECK_RECORD (record, "mmmm");
  nbd_close (h);
  return 0;
}
