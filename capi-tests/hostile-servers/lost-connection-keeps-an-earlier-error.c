/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A command that had already failed when the connection was lost keeps its
 * error instead of ENOTCONN.
 * Source: libnbd(3), "Errors in callbacks" (the value of any
 * error detected so far).
 */
#include "../harness/peer.h"

static int
lose (enum replies replies, bool inside_a_reply)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = replies };
  struct record record = { .result = 0 };
  struct request request;

  peer_connect (h, &peer);
  CHECK (nbd_aio_trim (h, 512, 0, COMPLETION (&record), 0) == 1);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  peer_error (&peer, &request, false, 28);
  if (inside_a_reply)
    peer_write (&peer, "\x66", 1);
  peer_hang_up (&peer);
  handle_arrivals (h);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK_RECORD (record, "C");
  CHECK_ERROR (nbd_aio_command_completed (h, 1), record.error);
  nbd_close (h);
  peer_close (&peer);
  return record.error;
}

int
main (void)
{
  CHECK (lose (STRUCTURED, false) == ENOSPC);
  CHECK (lose (EXTENDED, false) == ENOSPC);
  CHECK (lose (STRUCTURED, true) == ENOSPC);
  return 0;
}
