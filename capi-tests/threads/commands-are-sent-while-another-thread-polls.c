/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thread waits in nbd_poll with nothing to send. Another one issues more than
 * the socket accepts at once, and makes no other call: the server gets all of
 * it.
 * Source: libnbd(3), "Asynchronous commands", and the promise of this library
 * (docs/threads.md).
 */
#include "../harness/peer.h"

#include <pthread.h>

#define SIZE (32 * MIB)

static struct nbd_handle *h;
static struct peer peer = { .size = 64 * MIB };
static bool done;

static int
completion (void *user_data, int *error)
{
  (void) user_data;
  CHECK (*error == 0);
  __atomic_store_n (&done, true, __ATOMIC_RELEASE);
  return 1;
}

static void *
wait_in_poll (void *arg)
{
  (void) arg;
  while (!__atomic_load_n (&done, __ATOMIC_ACQUIRE))
    CHECK (nbd_poll (h, -1) == 1);
  return NULL;
}

static void *
serve (void *arg)
{
  static char data[SIZE];
  struct request request = peer_request (&peer, data);

  (void) arg;
  CHECK (request.type == NBD_CMD_WRITE && request.length == SIZE);
  peer_success (&peer, &request);
  return NULL;
}

int
main (void)
{
  static char data[SIZE];
  nbd_completion_callback callback = { .callback = completion };
  pthread_t poller, server;

  h = nbd_create ();
  peer_accept (h, &peer);
  CHECK (pthread_create (&poller, NULL, wait_in_poll, NULL) == 0);
  usleep (20000); /* most likely it waits by now */
  CHECK (pthread_create (&server, NULL, serve, NULL) == 0);
  CHECK (nbd_aio_pwrite (h, data, SIZE, 0, callback, 0) > 0);
  CHECK (pthread_join (poller, NULL) == 0);
  CHECK (pthread_join (server, NULL) == 0);
  nbd_close (h);
  return 0;
}
