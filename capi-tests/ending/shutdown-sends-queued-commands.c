/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Commands issued before nbd_shutdown are sent in order before the disconnect;
 * those that the server answers complete, the others fail with ENOTCONN.
 * Source: nbd_shutdown(3), nbd_aio_in_flight(3).
 */
#include "../harness/peer.h"

#include <pthread.h>

static char data[2 * 1024 * 1024], got[sizeof data];

static void *
serve (void *arg)
{
  struct peer *peer = arg;
  struct request requests[2];

  for (int i = 0; i < 2; ++i) {
    requests[i] = peer_request (peer, got);
    CHECK (requests[i].type == NBD_CMD_WRITE);
    CHECK (requests[i].offset == i * sizeof data);
  }
  CHECK (peer_request (peer, NULL).type == NBD_CMD_DISC);
  peer_simple (peer, &requests[1], 0);
  peer_hang_up (peer);
  return NULL;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE, .size = 64 * MIB };
  struct record stranded = { .result = 0 }, answered = { .result = 0 };
  pthread_t thread;

  peer_connect (h, &peer);
  CHECK (nbd_aio_pwrite (h, data, sizeof data, 0, COMPLETION (&stranded), 0)
         == 1);
  CHECK (nbd_aio_pwrite (h, data, sizeof data, sizeof data,
                         COMPLETION (&answered), 0)
         == 2);
  CHECK (pthread_create (&thread, NULL, serve, &peer) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (nbd_aio_is_closed (h) == 1);
  CHECK_RECORD (stranded, "C");
  CHECK (stranded.error == ENOTCONN);
  CHECK_RECORD (answered, "C");
  CHECK (answered.error == 0);
  CHECK_ERROR (nbd_aio_command_completed (h, 1), ENOTCONN);
  CHECK (nbd_aio_command_completed (h, 2) == 1);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
