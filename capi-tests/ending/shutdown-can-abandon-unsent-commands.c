/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With ABANDON_PENDING nbd_shutdown drops commands that are entirely unsent:
 * they fail with ENOTCONN.  A partly sent one is finished before the
 * disconnect.
 * Source: nbd_shutdown(3).
 */
#include "../harness/peer.h"

#include <pthread.h>

static char data[4 * 1024 * 1024], got[sizeof data];

static void *
serve (void *arg)
{
  struct peer *peer = arg;
  struct request request = peer_request (peer, got);

  CHECK (request.type == NBD_CMD_WRITE && request.offset == 0);
  CHECK (peer_request (peer, NULL).type == NBD_CMD_DISC);
  peer_simple (peer, &request, 0);
  peer_hang_up (peer);
  return NULL;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE, .size = 64 * MIB };
  struct record records[3] = { { .result = 0 } };
  pthread_t thread;

  peer_connect (h, &peer);
  for (int i = 0; i < 3; ++i)
    CHECK (nbd_aio_pwrite (h, data, sizeof data, i * sizeof data,
                           COMPLETION (&records[i]), 0)
           == i + 1);
  CHECK (nbd_aio_is_processing (h) == 1);
  CHECK (pthread_create (&thread, NULL, serve, &peer) == 0);
  CHECK (nbd_shutdown (h, LIBNBD_SHUTDOWN_ABANDON_PENDING) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (nbd_aio_is_closed (h) == 1);
  CHECK (nbd_aio_command_completed (h, 1) == 1);
  CHECK_ERROR (nbd_aio_command_completed (h, 2), ENOTCONN);
  CHECK_ERROR (nbd_aio_command_completed (h, 3), ENOTCONN);
  for (int i = 0; i < 3; ++i) {
    CHECK_RECORD (records[i], "Cc");
    CHECK (records[i].error == (i == 0 ? 0 : ENOTCONN));
  }
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
