/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Block status of a context that was not negotiated is skipped unchecked: the
 * command succeeds, or fails with the error that the server reports.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

static int
count_calls (void *user_data, const char *metacontext, uint64_t offset,
             uint32_t *entries, size_t nr_entries, int *error)
{
  (void) offset, (void) entries, (void) nr_entries;
  CHECK (strcmp (metacontext, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (*error == 0);
  ++*(int *) user_data;
  return 0;
}

static void
put_extent (struct bytes *bytes, uint32_t context, uint32_t length)
{
  put32 (bytes, context);
  put32 (bytes, length);
  put32 (bytes, 0);
}

static void
check (uint32_t server_error, int expected)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED, .contexts = 1 };
  struct bytes unknown = { .count = 0 }, known = { .count = 0 };
  struct record record = { .error = -1 };
  struct request request;
  int calls = 0;

  peer_connect (h, &peer);
  CHECK (nbd_aio_block_status (h, 512, 0,
                               (nbd_extent_callback) { .callback = count_calls,
                                                       .user_data = &calls },
                               COMPLETION (&record), 0)
         == 1);
  request = peer_request (&peer, NULL);
  put_extent (&unknown, 77, 0);
  peer_chunk (&peer, &request, false, REPLY_BLOCK_STATUS, &unknown);
  put_extent (&known, 1, 512);
  peer_chunk (&peer, &request, false, REPLY_BLOCK_STATUS, &known);
  if (server_error)
    peer_error (&peer, &request, true, server_error);
  else
    peer_success (&peer, &request);
  wait_for_all (h);
  CHECK (calls == 1);
  CHECK (record.error == expected);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  check (0, 0);
  check (108, ESHUTDOWN);
  return 0;
}
