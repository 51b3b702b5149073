/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the server closes between two replies, the handle is closed; within a
 * reply, it is dead and the call that detects it fails.  In both cases the
 * commands in flight fail with ENOTCONN.
 * Source: nbd_aio_in_flight(3), nbd_aio_is_dead(3).
 */
#include "../harness/peer.h"

static void
lose (size_t part_of_reply)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct record read = { .result = 0 }, flush = { .result = 0 };
  struct record retired = { .result = 1 };
  struct request request;
  char buf[512];

  peer_connect (h, &peer);
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, COMPLETION (&read), 0) == 1);
  CHECK (nbd_aio_flush (h, COMPLETION (&flush), 0) == 2);
  CHECK (nbd_aio_flush (h, COMPLETION (&retired), 0) == 3);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  if (part_of_reply > 0)
    peer_write (&peer, "\x67\x44\x66\x98\0\0\0\0",
                part_of_reply < 8 ? part_of_reply : 8);
  if (part_of_reply > 8) {
    peer_write (&peer, &request.cookie, 8);
    peer_write (&peer, buf, part_of_reply - 16);
  }
  peer_hang_up (&peer);
  while (nbd_poll (h, LONG_ENOUGH) == 1)
    if (nbd_aio_is_closed (h))
      break;
  if (part_of_reply > 0) {
    CHECK (nbd_aio_is_dead (h) == 1);
    CHECK_EXACT_MESSAGE ("nbd_poll: recv: server disconnected unexpectedly");
    CHECK (nbd_get_errno () == 0);
  } else
    CHECK (nbd_aio_is_closed (h) == 1);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK_RECORD (read, "C");
  CHECK_RECORD (flush, "C");
  CHECK_RECORD (retired, "Cc");
  CHECK (read.error == ENOTCONN && flush.error == ENOTCONN);
  CHECK (retired.error == ENOTCONN);
  CHECK_ERROR (nbd_aio_command_completed (h, 1), ENOTCONN);
  CHECK_EXACT_MESSAGE (with_reason ("nbd_aio_command_completed: read: command "
                                    "failed",
                                    ENOTCONN));
  CHECK_ERROR (nbd_aio_command_completed (h, 2), ENOTCONN);
  CHECK (nbd_aio_command_completed (h, 3) == 0);
  CHECK_RECORD (read, "Cc");
  CHECK_RECORD (flush, "Cc");
  CHECK_ERROR (nbd_flush (h, 0), EINVAL);
  CHECK (nbd_aio_get_direction (h) == 0);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  lose (0);
  lose (1);
  lose (5);
  lose (16);
  lose (16 + 100);
  return 0;
}
