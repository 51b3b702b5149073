/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_aio_peek_command_completed does not see the synchronous command in which
 * another thread waits.
 * Source: nbd_aio_peek_command_completed(3), and the promise of this library
 * (docs/threads.md).
 */
#include "../harness/peer.h"

#include <pthread.h>

static struct nbd_handle *h;
static struct peer peer;

static void *
flush (void *arg)
{
  (void) arg;
  CHECK (nbd_flush (h, 0) == 0);
  return NULL;
}

int
main (void)
{
  struct request first, second;
  pthread_t thread;
  int64_t cookie;

  h = nbd_create ();
  peer_connect (h, &peer);
  CHECK (pthread_create (&thread, NULL, flush, NULL) == 0);
  first = peer_request (&peer, NULL);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  CHECK (cookie > 0);
  CHECK (nbd_aio_peek_command_completed (h) == 0);
  second = peer_request (&peer, NULL);
  peer_success (&peer, &first);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (nbd_aio_peek_command_completed (h) == 0);
  peer_success (&peer, &second);
  CHECK (wait_for (h, cookie) == 1);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  nbd_close (h);
  return 0;
}
