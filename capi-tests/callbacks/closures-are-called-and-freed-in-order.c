/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The intermediate callback of a command is called before its completion
 * callback; when the command is retired, their free functions are called in the
 * same order.
 * Source: libnbd(3), "Callback lifetimes".
 */
#include "../harness/peer.h"

static void
answer (struct peer *peer, uint64_t length)
{
  struct request request = peer_request (peer, NULL);
  struct bytes payload = { .count = 0 };

  if (request.type == NBD_CMD_READ) {
    put64 (&payload, request.offset);
    put32 (&payload, length / 2);
    peer_chunk (peer, &request, false, REPLY_OFFSET_HOLE, &payload);
    payload.count = 0;
    put64 (&payload, request.offset + length / 2);
    put32 (&payload, length / 2);
    peer_chunk (peer, &request, true, REPLY_OFFSET_HOLE, &payload);
  } else if (peer->replies == EXTENDED) {
    put32 (&payload, 1);
    put32 (&payload, 1);
    put64 (&payload, length);
    put64 (&payload, 0);
    peer_chunk (peer, &request, false, REPLY_BLOCK_STATUS_EXT, &payload);
    peer_chunk (peer, &request, true, REPLY_BLOCK_STATUS_EXT, &payload);
  } else {
    put32 (&payload, 1);
    put32 (&payload, length);
    put32 (&payload, 0);
    peer_chunk (peer, &request, false, REPLY_BLOCK_STATUS, &payload);
    peer_chunk (peer, &request, true, REPLY_BLOCK_STATUS, &payload);
  }
}

static void
use (enum replies replies)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = replies, .contexts = 1 };
  char buf[512];

  peer_connect (h, &peer);
  for (int i = 0; i < 3; ++i) {
    struct record record = { .result = 0 };
    nbd_completion_callback completion = COMPLETION (&record);
    int64_t cookie =
        i == 0 ? nbd_aio_pread_structured (h, buf, 512, 0, CHUNK (&record),
                                           completion, 0)
        : i == 1
            ? nbd_aio_block_status (h, 512, 0, EXTENT (&record), completion, 0)
            : nbd_aio_block_status_64 (h, 512, 0, EXTENT64 (&record),
                                       completion, 0);

    CHECK (cookie > 0);
    CHECK (nbd_poll (h, 0) == 0);
    CHECK_RECORD (record, "");
    answer (&peer, 512);
    handle_arrivals (h);
    CHECK_RECORD (record, "MMC");
    CHECK (record.error == 0);
    CHECK (nbd_aio_command_completed (h, cookie) == 1);
    CHECK_RECORD (record, "MMCmc");
  }
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
