/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection reset makes the handle dead, with the error of the system, and
 * commands in flight fail with ENOTCONN; so do commands issued when the server
 * is already gone.
 * Source: libnbd(3), "Errno", nbd_aio_is_dead(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct record record = { .result = 0 };
  char buf[512];

  peer_connect (h, &peer);
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, COMPLETION (&record), 0) == 1);
  CHECK (nbd_poll (h, 0) == 0);
  /* Closing with the request unread resets a Unix socket. */
  peer_close (&peer);
  CHECK_ERROR (nbd_aio_notify_read (h), ECONNRESET);
  CHECK_EXACT_MESSAGE ("nbd_aio_notify_read: recv: Connection reset by peer");
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK_RECORD (record, "C");
  CHECK_ERROR (nbd_aio_command_completed (h, 1), ENOTCONN);
  nbd_close (h);

  h = nbd_create ();
  peer_connect (h, &peer);
  peer_close (&peer);
  CHECK_ERROR (nbd_pwrite (h, buf, sizeof buf, 0, 0), ENOTCONN);
  CHECK_EXACT_MESSAGE (with_reason ("nbd_pwrite: write: command "
                                    "failed",
                                    ENOTCONN));
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 0, 0), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_pread: invalid state: DEAD: the handle must be "
                       "connected with the server: Invalid argument");
  nbd_close (h);
  return 0;
}
