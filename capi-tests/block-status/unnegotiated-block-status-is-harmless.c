/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Block status replies without a negotiated meta context, which a client that
 * tests servers may provoke, call no callback and do not affect other commands.
 * Source: nbd_block_status(3), nbd_set_strict_mode(3).
 */
#include "../harness/peer.h"

static int
never (void *user_data, const char *metacontext, uint64_t offset,
       nbd_extent *entries, size_t nr_entries, int *error)
{
  (void) user_data;
  (void) metacontext;
  (void) offset;
  (void) entries;
  (void) nr_entries;
  (void) error;
  CHECK (!"called for a context that is not there");
  return -1;
}

/* The server answers with this many chunks, each with one extent of the width
 * that it announces.
 */
static void
answer (int replies, uint16_t type, int chunks)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = replies };
  nbd_extent64_callback callback = { .callback = never };
  struct bytes payload = { .count = 0 };
  struct request request;
  int64_t status, flush;

  CHECK (nbd_set_strict_mode (h, 0) == 0);
  peer_connect (h, &peer);
  status = nbd_aio_block_status_64 (h, 4096, 0, callback, NBD_NULL_COMPLETION,
                                    0);
  CHECK (status > 0);
  CHECK (nbd_aio_get_direction (h) != 0);
  request = peer_request (&peer, NULL);
  put32 (&payload, 1);
  if (type == 6) {
    put32 (&payload, 1);
    put64 (&payload, UINT64_MAX);
    put64 (&payload, UINT64_MAX);
  } else {
    put32 (&payload, UINT32_MAX);
    put32 (&payload, UINT32_MAX);
  }
  for (int i = 0; i < chunks; ++i)
    peer_chunk (&peer, &request, i == chunks - 1, type, &payload);
  while (!nbd_aio_command_completed (h, status))
    CHECK (nbd_poll (h, -1) == 1);

  flush = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  CHECK (flush > 0);
  CHECK (nbd_aio_get_direction (h) != 0);
  request = peer_request (&peer, NULL);
  peer_success (&peer, &request);
  while (!nbd_aio_command_completed (h, flush))
    CHECK (nbd_poll (h, -1) == 1);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  for (int chunks = 1; chunks <= 3; ++chunks) {
    answer (STRUCTURED, 5, chunks);
    answer (STRUCTURED, 6, chunks);
    answer (EXTENDED, 5, chunks);
    answer (EXTENDED, 6, chunks);
  }
  return 0;
}
