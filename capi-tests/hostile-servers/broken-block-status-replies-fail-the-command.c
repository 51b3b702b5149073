/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Invalid extents fail the block status command with EPROTO, valid ones do not;
 * the connection continues, and the callback never gets extents past the end of
 * the export.
 * Source: nbd_block_status_64(3); outcomes of libnbd 1.24.4.
 */
#include "../harness/commands.h"

static const struct {
  char *fault;
  bool compact_fails, extended_fails;
} faults[] = {
  { "status-wrong-context:1", false, false },
  { "status-context-twice:1", false, false },
  { "status-context-missing:1", false, false },
  { "status-odd-length:1", true, true },
  { "status-empty:1", true, true },
  { "status-short:1", true, true },
  { "status-zero-extent:1", true, true },
  { "status-wrong-width:1", true, true },
  { "status-bad-count:1", false, true },
  { "status-too-many:1", false, false },
  { "status-beyond-end:1", true, true },
};

static int
stay_inside (void *user_data, const char *metacontext, uint64_t offset,
             nbd_extent *entries, size_t nr_entries, int *error)
{
  (void) error;
  CHECK (strcmp (metacontext, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0
         || strcmp (metacontext, "x:two") == 0);
  CHECK (offset == 4096);
  CHECK (nr_entries > 0);
  for (size_t i = 0; i < nr_entries; ++i) {
    CHECK (entries[i].length <= MIB - offset);
    offset += entries[i].length;
  }
  ++*(int *) user_data;
  return 0;
}

static void
strike (char *fault, char *option, bool fails)
{
  struct nbd_handle *h = nbd_create ();
  nbd_extent64_callback callback = { .callback = stay_inside };
  int calls = 0;

  callback.user_data = &calls;
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_add_meta_context (h, "x:two") == 0);
  connect_handle (h, server_command ("--size", "1M", "--context",
                                     "x:two=4096:1,4096:2", "--fault", fault,
                                     option));
  if (fails)
    CHECK_ERROR (nbd_block_status_64 (h, 65536, 4096, callback, 0), EPROTO);
  else
    CHECK (nbd_block_status_64 (h, 65536, 4096, callback, 0) == 0);
  calls = 0;
  CHECK (nbd_block_status_64 (h, 65536, 4096, callback, 0) == 0);
  CHECK (calls == 2);
  nbd_close (h);
}

int
main (void)
{
  for (size_t i = 0; i < ITEMS (faults); ++i) {
    strike (faults[i].fault, "--no-extended-headers", faults[i].compact_fails);
    strike (faults[i].fault, "--newstyle-fixed", faults[i].extended_fails);
  }
  return 0;
}
