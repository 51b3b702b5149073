/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A filtered block status reports the named contexts only; a name that was not
 * negotiated is refused.
 * Source: nbd_block_status_filter(3).
 */
#include "../harness/commands.h"

static int
see_context (void *user_data, const char *metacontext, uint64_t offset,
             nbd_extent *entries, size_t nr_entries, int *error)
{
  CHECK (*error == 0 && offset == 512 && nr_entries > 0);
  CHECK (entries[0].length > 0);
  strcat (user_data, metacontext);
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  nbd_extent64_callback callback = { .callback = see_context };
  char *base[] = { LIBNBD_CONTEXT_BASE_ALLOCATION, NULL };
  char *two[] = { "x:a", "x:b", NULL };
  char *unknown[] = { "x:a", "x:unknown", NULL };
  char seen[100] = "";
  int64_t cookie;

  callback.user_data = seen;
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_add_meta_context (h, "x:a") == 0);
  CHECK (nbd_add_meta_context (h, "x:b") == 0);
  connect_handle (h, server_command ("--size", "1M", "--context", "x:a=4096:1",
                                     "--context", "x:b=4096:2"));
  CHECK (nbd_can_block_status_payload (h) == 1);
  CHECK (nbd_block_status_filter (h, 8192, 512, base, callback, 0) == 0);
  CHECK (strcmp (seen, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  seen[0] = '\0';
  cookie = nbd_aio_block_status_filter (h, 8192, 512, two, callback,
                                        NBD_NULL_COMPLETION,
                                        LIBNBD_CMD_FLAG_REQ_ONE);
  CHECK (wait_for (h, cookie) == 1);
  CHECK (strcmp (seen, "x:ax:b") == 0);
  CHECK_ERROR (nbd_block_status_filter (h, 8192, 512, unknown, callback, 0),
               EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_block_status_filter: context x:unknown not "
                       "negotiated: Invalid argument");
  CHECK (nbd_block_status_64 (h, 8192, 512, callback, 0) == 0);
  nbd_close (h);
  return 0;
}
