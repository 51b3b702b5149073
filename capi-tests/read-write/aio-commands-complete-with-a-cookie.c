/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every aio command returns its own cookie, at least 1, and has the effect of
 * its synchronous counterpart once nbd_aio_command_completed returns true.
 * Source: nbd_aio_pread(3) and its neighbours.
 */
#include "../harness/commands.h"

static int
see_extents (void *user_data, const char *metacontext, uint64_t offset,
             uint32_t *entries, size_t nr_entries, int *error)
{
  (void) metacontext, (void) offset, (void) entries;
  CHECK (*error == 0 && nr_entries > 0);
  ++*(int *) user_data;
  return 0;
}

static int
see_extents_64 (void *user_data, const char *metacontext, uint64_t offset,
                nbd_extent *entries, size_t nr_entries, int *error)
{
  (void) metacontext, (void) offset, (void) entries;
  CHECK (*error == 0 && nr_entries > 0);
  ++*(int *) user_data;
  return 0;
}

static void
use (struct nbd_handle *h)
{
  nbd_completion_callback none = NBD_NULL_COMPLETION;
  nbd_extent_callback extent = { .callback = see_extents };
  nbd_extent64_callback extent64 = { .callback = see_extents_64 };
  struct record record = { .result = 0 };
  int64_t cookies[9];
  char got[4096], again[4096], data[4096];
  int calls = 0;

  extent.user_data = extent64.user_data = &calls;
  memset (data, 'd', sizeof data);
  cookies[0] = nbd_aio_pwrite (h, data, sizeof data, 512, none, 0);
  CHECK (wait_for (h, cookies[0]) == 1);
  cookies[1] = nbd_aio_pread (h, got, sizeof got, 512, none, 0);
  cookies[2] = nbd_aio_pread_structured (h, again, sizeof again, 512,
                                         CHUNK (&record), none, 0);
  cookies[3] = nbd_aio_flush (h, none, 0);
  cookies[4] = nbd_aio_trim (h, 4096, 65536, none, 0);
  cookies[5] = nbd_aio_cache (h, 4096, 65536, none, 0);
  cookies[6] = nbd_aio_zero (h, 4096, 128 * 1024, none, 0);
  cookies[7] = nbd_aio_block_status (h, 65536, 0, extent, none, 0);
  cookies[8] = nbd_aio_block_status_64 (h, 65536, 0, extent64, none, 0);
  for (size_t i = 0; i < ITEMS (cookies); ++i) {
    CHECK (cookies[i] >= 1);
    for (size_t j = 0; j < i; ++j)
      CHECK (cookies[i] != cookies[j]);
  }
  for (size_t i = 1; i < ITEMS (cookies); ++i)
    CHECK (wait_for (h, cookies[i]) == 1);
  CHECK (memcmp (got, data, sizeof data) == 0);
  CHECK (memcmp (again, data, sizeof data) == 0);
  CHECK (calls == 2);
  CHECK_RECORD (record, "Mm");
  nbd_close (h);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  use (connect_handle (h, server_command ("--size", "1M")));
  h = nbd_create ();
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  use (connect_handle (h, server_command ("--size", "1M", "--shuffle", "4")));
  return 0;
}
