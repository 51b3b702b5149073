/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the completion callback returns 1, the command is retired at once, even
 * after a failure: its closures are freed and its cookie becomes invalid.
 * Source: libnbd(3), "Completion callbacks".
 */
#include "../harness/peer.h"

static void
complete (uint32_t error)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED, .contexts = 1 };
  struct request request;
  struct record record = { .result = 1 };
  struct bytes status = { .count = 0 };
  int64_t cookie;

  peer_connect (h, &peer);
  cookie = nbd_aio_block_status (h, 512, 0, EXTENT (&record),
                                 COMPLETION (&record), 0);
  CHECK (cookie > 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  put32 (&status, 1);
  put32 (&status, 512);
  put32 (&status, 0);
  peer_chunk (&peer, &request, false, REPLY_BLOCK_STATUS, &status);
  if (error)
    peer_error (&peer, &request, true, error);
  else
    peer_success (&peer, &request);
  handle_arrivals (h);
  CHECK_RECORD (record, "MCmc");
  CHECK (record.error == (int) error);
  CHECK (nbd_aio_command_completed (h, cookie) == 0);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  complete (0);
  complete (EIO);
  return 0;
}
