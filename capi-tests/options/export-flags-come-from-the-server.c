/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The features of an export are those announced by the server, and stay known
 * until the handle is closed.
 *
 * Source: nbd_is_read_only(3), nbd_can_flush(3) and the pages of the other flag
 * calls.
 */
#include "../harness/harness.h"

static const struct {
  const char *option;
  int (*get) (struct nbd_handle *h);
  int expected;
} flags[] = {
  { "--read-only", nbd_is_read_only, 1 },
  { "--rotational", nbd_is_rotational, 1 },
  { "--no-flush", nbd_can_flush, 0 },
  { "--no-fua", nbd_can_fua, 0 },
  { "--no-trim", nbd_can_trim, 0 },
  { "--no-zero", nbd_can_zero, 0 },
  { "--no-fast-zero", nbd_can_fast_zero, 0 },
  { "--no-df", nbd_can_df, 0 },
  { "--no-multi-conn", nbd_can_multi_conn, 0 },
  { "--no-cache", nbd_can_cache, 0 },
};

int
main (void)
{
  struct nbd_handle *usual = connected ("--size", "1M");
  struct nbd_handle *h;
  size_t i;

  for (i = 0; i < sizeof flags / sizeof flags[0]; ++i) {
    CHECK (flags[i].get (usual) == !flags[i].expected);
    h = connected ("--size", "1M", (char *) flags[i].option);
    if (flags[i].get (h) != flags[i].expected)
      fail (__FILE__, __LINE__, flags[i].option);
    CHECK (nbd_shutdown (h, 0) == 0);
    CHECK (flags[i].get (h) == flags[i].expected);
    nbd_close (h);
  }
  nbd_close (usual);

  /* Filtering block status needs extended headers, and contexts to filter. */
  for (i = 0; i < 2; ++i) {
    h = nbd_create ();
    CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
    CHECK (nbd_set_request_extended_headers (h, i) == 0);
    connect_handle (h, server_command ("--size", "1M"));
    CHECK (nbd_can_block_status_payload (h) == (int) i);
    nbd_close (h);
  }
  return 0;
}
