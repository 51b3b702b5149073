/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, requests that are issued while another thread waits in nbd_poll
 * stay queued until nbd_ext_send, which sends all of them, also if they are more
 * than the socket accepts at once.
 * Source: nbd_ext_set_batching(3), nbd_ext_send(3).
 */
#include "../harness/batches.h"

#include <pthread.h>

#define SIZE (1 * MIB)
#define WRITES 32

static struct nbd_handle *h;
static struct peer peer = { .replies = SIMPLE, .size = WRITES * SIZE };
static int completed;

static int
completion (void *user_data, int *error)
{
  (void) user_data;
  CHECK (*error == 0);
  __atomic_add_fetch (&completed, 1, __ATOMIC_ACQ_REL);
  return 1;
}

static void *
wait_in_poll (void *arg)
{
  (void) arg;
  while (__atomic_load_n (&completed, __ATOMIC_ACQUIRE) < WRITES)
    CHECK (nbd_poll (h, -1) == 1);
  return NULL;
}

static void *
serve (void *arg)
{
  static char data[SIZE];

  (void) arg;
  for (int i = 0; i < WRITES; ++i) {
    struct request request = peer_request (&peer, data);

    CHECK (request.type == NBD_CMD_WRITE && request.length == SIZE);
    CHECK (request.offset == i * SIZE);
    peer_success (&peer, &request);
  }
  return NULL;
}

int
main (void)
{
  static char data[SIZE];
  nbd_completion_callback callback = { .callback = completion };
  pthread_t poller, server;

  h = batching_handle (&peer);
  CHECK (pthread_create (&poller, NULL, wait_in_poll, NULL) == 0);
  usleep (20000); /* most likely it waits by now */
  for (int i = 0; i < WRITES; ++i)
    CHECK (nbd_aio_pwrite (h, data, SIZE, i * SIZE, callback, 0) > 0);
  CHECK (pthread_create (&server, NULL, serve, NULL) == 0);
  CHECK (nbd_ext_send (h) == 0);
  CHECK (pthread_join (poller, NULL) == 0);
  CHECK (pthread_join (server, NULL) == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
