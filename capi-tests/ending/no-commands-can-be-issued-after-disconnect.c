/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After nbd_aio_disconnect no command can be issued; commands in flight still
 * complete, and the handle is closed when the server closes.  Commands that the
 * server leaves unanswered fail with ENOTCONN.
 * Source: nbd_aio_disconnect(3), nbd_aio_in_flight(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = EXTENDED };
  struct request request;
  struct record record = { .result = 0 };

  CHECK_ERROR (nbd_aio_disconnect (h, 0), ENOTCONN);
  peer_connect (h, &peer);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 1);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 2);
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK_ERROR (nbd_flush (h, 0), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_flush: cannot request more commands after "
                       "NBD_CMD_DISC: Invalid argument");
  CHECK_ERROR (nbd_aio_flush (h, COMPLETION (&record), 0), EINVAL);
  CHECK_RECORD (record, "c");
  CHECK_ERROR (nbd_aio_disconnect (h, 0), EINVAL);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  CHECK (peer_request (&peer, NULL).type == NBD_CMD_FLUSH);
  CHECK (peer_request (&peer, NULL).type == NBD_CMD_DISC);
  peer_success (&peer, &request);
  CHECK (wait_for (h, 1) == 1);
  peer_hang_up (&peer);
  handle_arrivals (h);
  CHECK (nbd_aio_is_closed (h) == 1);
  CHECK_ERROR (nbd_aio_command_completed (h, 2), ENOTCONN);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  nbd_close (h);
  peer_close (&peer);

  h = connected ("--size", "1M");
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (nbd_aio_is_closed (h) == 1);
  nbd_close (h);
  return 0;
}
