/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If an extent callback returns -1, block status fails with *error, or EPROTO
 * if that is 0; the callback is still called for the other contexts.
 * Source: nbd_block_status(3), nbd_block_status_64(3).
 */
#include "../harness/commands.h"

static int
fail_with_edom (void *user_data, const char *metacontext, uint64_t offset,
                uint32_t *entries, size_t nr_entries, int *error)
{
  int *calls = user_data;

  (void) metacontext, (void) offset, (void) entries, (void) nr_entries;
  CHECK (*error == (*calls == 0 ? 0 : EDOM));
  ++*calls;
  *error = EDOM;
  return -1;
}

static int
fail_without_error (void *user_data, const char *metacontext, uint64_t offset,
                    nbd_extent *entries, size_t nr_entries, int *error)
{
  int *calls = user_data;

  (void) metacontext, (void) offset, (void) entries, (void) nr_entries;
  CHECK (*error == (*calls == 0 ? 0 : EPROTO));
  ++*calls;
  return -1;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  nbd_extent_callback extent = { .callback = fail_with_edom };
  nbd_extent64_callback extent64 = { .callback = fail_without_error };
  int calls = 0, calls64 = 0;

  extent.user_data = &calls;
  extent64.user_data = &calls64;
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_add_meta_context (h, "x:two") == 0);
  connect_handle (h,
                  server_command ("--size", "1M", "--context", "x:two=4096:1"));
  CHECK_ERROR (nbd_block_status (h, 65536, 0, extent, 0), EDOM);
  CHECK_MESSAGE ("block-status: command failed");
  CHECK (calls == 2);
  CHECK_ERROR (nbd_block_status_64 (h, 65536, 0, extent64, 0), EPROTO);
  CHECK (calls64 == 2);
  CHECK (nbd_flush (h, 0) == 0);
  nbd_close (h);
  return 0;
}
