/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_aio_in_flight does not count the command of a synchronous call in another
 * thread.  A program with its own poll loop waits until the count is 0.  If the
 * command counted, the program would wait for a reply that the other thread
 * receives, as nbdcopy 1.14 did.
 * Source: seen with libnbd 1.24.4, where nbd_aio_in_flight waits for the other
 * thread, and returns 0 then.
 */
#include "../harness/peer.h"

#include <pthread.h>

static struct nbd_handle *h;
static struct peer peer = { .replies = SIMPLE };

static void *
flush (void *arg)
{
  (void) arg;
  CHECK (nbd_flush (h, 0) == 0);
  return NULL;
}

static void *
answer_soon (void *arg)
{
  usleep (100000);
  peer_success (&peer, arg);
  return NULL;
}

int
main (void)
{
  struct request request;
  pthread_t thread, answering;

  h = nbd_create ();
  peer_connect (h, &peer);
  CHECK (pthread_create (&thread, NULL, flush, NULL) == 0);
  request = peer_request (&peer, NULL);
  CHECK (pthread_create (&answering, NULL, answer_soon, &request) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK (pthread_join (answering, NULL) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
