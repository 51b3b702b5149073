/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_aio_command_completed returns false while a command is in flight, true
 * once after success, an error once after failure, and false for unknown
 * cookies.  Only cookie 0 is a separate error.
 * Source: nbd_aio_command_completed(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct request requests[2];
  int64_t ok, bad;

  peer_connect (h, &peer);
  CHECK_ERROR (nbd_aio_command_completed (h, 0), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_aio_command_completed: invalid aio cookie 0: "
                       "Invalid argument");
  CHECK (nbd_aio_command_completed (h, 1234) == 0);
  CHECK (nbd_aio_command_completed (h, UINT64_MAX) == 0);
  ok = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  bad = nbd_aio_trim (h, 512, 0, NBD_NULL_COMPLETION, 0);
  CHECK (nbd_aio_command_completed (h, ok) == 0);
  CHECK (nbd_poll (h, 0) == 0);
  requests[0] = peer_request (&peer, NULL);
  requests[1] = peer_request (&peer, NULL);
  peer_simple (&peer, &requests[0], 0);
  peer_simple (&peer, &requests[1], ENOSPC);
  wait_for_all (h);
  CHECK (nbd_aio_command_completed (h, ok) == 1);
  CHECK (nbd_aio_command_completed (h, ok) == 0);
  CHECK_ERROR (nbd_aio_command_completed (h, bad), ENOSPC);
  CHECK_EXACT_MESSAGE ("nbd_aio_command_completed: trim: command failed: "
                       "No space left on device");
  CHECK (nbd_aio_command_completed (h, bad) == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
