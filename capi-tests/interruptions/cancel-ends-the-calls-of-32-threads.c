/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_ext_cancel ends the calls of all threads that wait on a handle: for the
 * server, for space in the socket, for the thread that receives, or for the lock.
 * It cancels neither calls that begin later nor those of other handles.
 * Source: nbd_ext_cancel(3).
 */
#include "../harness/interruptions.h"

#include <pthread.h>

#include <limits.h>

#define THREADS 32
#define ROUNDS 20
#define COUNT 512

static struct peer peer;
static struct nbd_handle *h;
static pthread_barrier_t barrier;
static int pipe_fds[2];

static int
call (int number, char *data)
{
  struct record record = { .result = 0 };
  int r;

  switch (number % 8) {
  case 0:
    return nbd_poll (h, -1);
  case 1:
    return nbd_poll2 (h, pipe_fds[0], INT_MAX);
  case 2:
    return nbd_pread (h, data, COUNT, number * COUNT, 0);
  case 3:
    return nbd_pwrite (h, data, COUNT, number % 3 * COUNT, 0);
  case 4:
    return nbd_flush (h, 0);
  case 5:
    r = nbd_block_status (h, COUNT, 0, EXTENT (&record), 0);
    CHECK_RECORD (record, "m");
    return r;
  case 6:
    r = nbd_pread_structured (h, data, COUNT, 0, CHUNK (&record), 0);
    CHECK_RECORD (record, "m");
    return r;
  default:
    return nbd_zero (h, COUNT, 0, 0);
  }
}

static void *
wait_in_calls (void *arg)
{
  int number = *(int *) arg;
  char *data = map (COUNT);

  for (int round = 0; round < ROUNDS; ++round) {
    pthread_barrier_wait (&barrier);
    CHECK_ERROR (call (number + round, data), ECANCELED);
    /* The server has not replied, so there is nothing to wait for here. */
    pthread_barrier_wait (&barrier);
    pthread_barrier_wait (&barrier);
  }
  CHECK (munmap (data, COUNT) == 0);
  return NULL;
}

static void
discard_requests (void)
{
  char discard[64 * 1024];

  while (recv (peer.fd, discard, sizeof discard, MSG_DONTWAIT) > 0)
    ;
}

static void
one_round (struct nbd_handle *other)
{
  struct canceller canceller;
  struct request request;
  int64_t cookie;

  begin_to_cancel (&canceller, h);
  pthread_barrier_wait (&barrier);
  pthread_barrier_wait (&barrier);
  end_cancelling (&canceller);
  discard_requests ();
  CHECK (nbd_aio_in_flight (h) == 0);

  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  CHECK (nbd_ext_cancel (h) == 0);
  CHECK (nbd_poll (h, 0) == 0);
  CHECK (nbd_poll2 (h, pipe_fds[0], 1) == 0);
  cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_FLUSH);
  peer_success (&peer, &request);
  CHECK (wait_for (h, cookie) == 1);
  CHECK (nbd_poll (other, 0) == 0);
  pthread_barrier_wait (&barrier);
}

int
main (void)
{
  struct nbd_handle *other = connected ("--size", "1M");
  pthread_t threads[THREADS];
  int numbers[THREADS];

  CHECK (pipe2 (pipe_fds, O_CLOEXEC) == 0);
  CHECK (nbd_ext_set_cancellable (other, true) == 0);
  h = nbd_create ();
  peer = (struct peer) { .replies = STRUCTURED, .contexts = 1 };
  peer_connect (h, &peer);
  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  CHECK (nbd_ext_set_timeout (h, INT_MAX) == 0);
  CHECK (pthread_barrier_init (&barrier, NULL, THREADS + 1) == 0);
  for (int i = 0; i < THREADS; ++i) {
    numbers[i] = i;
    CHECK (pthread_create (&threads[i], NULL, wait_in_calls, &numbers[i]) == 0);
  }
  for (int round = 0; round < ROUNDS; ++round)
    one_round (other);
  for (int i = 0; i < THREADS; ++i)
    CHECK (pthread_join (threads[i], NULL) == 0);
  nbd_close (h);
  nbd_close (other);
  peer_close (&peer);
  return 0;
}
