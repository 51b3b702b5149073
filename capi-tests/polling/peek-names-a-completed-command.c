/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_aio_peek_command_completed returns the cookie of a completed command that
 * is not yet retired, 0 if all are in flight, and an error if there are none.
 * Source: nbd_aio_peek_command_completed(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };
  struct request requests[3];
  int64_t cookies[3];

  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_aio_peek_command_completed: no commands are in "
                       "flight: Invalid argument");
  peer_connect (h, &peer);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  for (int i = 0; i < 3; ++i)
    cookies[i] = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  CHECK (nbd_aio_peek_command_completed (h) == 0);
  CHECK (nbd_poll (h, 0) == 0);
  for (int i = 0; i < 3; ++i)
    requests[i] = peer_request (&peer, NULL);
  peer_success (&peer, &requests[1]);
  handle_arrivals (h);
  CHECK (nbd_aio_peek_command_completed (h) == cookies[1]);
  CHECK (nbd_aio_peek_command_completed (h) == cookies[1]);
  peer_error (&peer, &requests[0], true, EIO);
  handle_arrivals (h);
  CHECK (nbd_aio_peek_command_completed (h) == cookies[1]);
  CHECK (nbd_aio_command_completed (h, cookies[1]) == 1);
  CHECK (nbd_aio_peek_command_completed (h) == cookies[0]);
  CHECK_ERROR (nbd_aio_command_completed (h, cookies[0]), EIO);
  CHECK (nbd_aio_peek_command_completed (h) == 0);
  peer_success (&peer, &requests[2]);
  handle_arrivals (h);
  CHECK (nbd_aio_peek_command_completed (h) == cookies[2]);
  CHECK (nbd_aio_command_completed (h, cookies[2]) == 1);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
