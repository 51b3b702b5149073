/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After NBD_CMD_DISC and after NBD_OPT_ABORT the client shuts down its side of
 * the socket.  A server with several threads per connection closes only when it
 * sees that end of file.
 * Source: nbd_shutdown(3), nbd_opt_abort(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

#include <pthread.h>

/* A server that closes after the client has shut down its side, like nbdkit. */
static void *
close_at_end_of_stream (void *arg)
{
  struct peer *peer = arg;
  char bytes[512];
  ssize_t r;

  while ((r = recv (peer->fd, bytes, sizeof bytes, 0)) > 0)
    ;
  CHECK (r == 0);
  peer_close (peer);
  return NULL;
}

static void
shut_down_after_commands (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  pthread_t server;

  peer_connect (h, &peer);
  CHECK (pthread_create (&server, NULL, close_at_end_of_stream, &peer) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (pthread_join (server, NULL) == 0);
  CHECK (nbd_aio_is_closed (h) == 1);
  nbd_close (h);
}

/* The stream ends although the handle is still open and waiting. */
static void
disconnect_without_waiting (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  char byte;

  peer_connect (h, &peer);
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  CHECK (peer_request (&peer, NULL).type == NBD_CMD_DISC);
  CHECK (recv (peer.fd, &byte, 1, 0) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  peer_close (&peer);
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (nbd_aio_is_closed (h) == 1);
  nbd_close (h);
}

/* The server can still send its remaining data. */
static void
replies_after_the_goodbye_count (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct request request;
  int64_t cookie;

  peer_connect (h, &peer);
  cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  CHECK (cookie > 0);
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  request = peer_request (&peer, NULL);
  CHECK (peer_request (&peer, NULL).type == NBD_CMD_DISC);
  peer_success (&peer, &request);
  peer_close (&peer);
  CHECK (wait_for (h, cookie) == 1);
  nbd_close (h);
}

int
main (void)
{
  shut_down_after_commands ();
  disconnect_without_waiting ();
  replies_after_the_goodbye_count ();
  return 0;
}
