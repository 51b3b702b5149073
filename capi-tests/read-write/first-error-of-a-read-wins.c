/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If several chunks of a read report errors, the first one is the result, and
 * the chunk callback gets it from then on.
 * Source: nbd_pread_structured(3).
 */
#include "../harness/peer.h"

static int
on_chunk (void *user_data, const void *subbuf, size_t count, uint64_t offset,
          unsigned status, int *error)
{
  int *calls = user_data;

  (void) subbuf;
  switch ((*calls)++) {
  case 0:
    CHECK (status == LIBNBD_READ_HOLE && *error == 0);
    CHECK (offset == 4096 && count == 512);
    break;
  case 1:
    CHECK (status == LIBNBD_READ_ERROR && *error == ENOSPC);
    CHECK (offset == 4700 && count == 0);
    break;
  case 2:
    CHECK (status == LIBNBD_READ_HOLE && *error == ENOSPC);
    CHECK (offset == 4608 && count == 512);
    break;
  default:
    CHECK (!"another call");
  }
  return 0;
}

static void
use (enum replies replies)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = replies };
  struct request request;
  struct bytes payload = { .count = 0 };
  char buf[1024];
  int calls = 0;
  int64_t cookie;

  peer_connect (h, &peer);
  cookie = nbd_aio_pread_structured (
      h, buf, sizeof buf, 4096,
      (nbd_chunk_callback) { .callback = on_chunk, .user_data = &calls },
      NBD_NULL_COMPLETION, 0);
  CHECK (cookie > 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  put64 (&payload, 4096);
  put32 (&payload, 512);
  peer_chunk (&peer, &request, false, REPLY_OFFSET_HOLE, &payload);
  payload.count = 0;
  put32 (&payload, 28);
  put16 (&payload, 4);
  put (&payload, "text", 4);
  put64 (&payload, 4700);
  peer_chunk (&peer, &request, false, REPLY_ERROR_OFFSET, &payload);
  payload.count = 0;
  put64 (&payload, 4608);
  put32 (&payload, 512);
  peer_chunk (&peer, &request, false, REPLY_OFFSET_HOLE, &payload);
  peer_error (&peer, &request, true, 5);
  CHECK_ERROR (wait_for (h, cookie), ENOSPC);
  CHECK (calls == 3);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  use (STRUCTURED);
  use (EXTENDED);
  return 0;
}
