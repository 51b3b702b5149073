/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A command cannot let go of its buffer while another thread, in a call that
 * began without a limit, is receiving into it: nbd_ext_aio_cancel waits for that,
 * and an interrupted synchronous command ends the connection.
 * Source: nbd_ext_set_timeout(3), nbd_ext_aio_cancel(3).
 */
#include "../harness/interruptions.h"

#include <pthread.h>

#define COUNT 512

static struct nbd_handle *h;
static struct peer peer;

/* The call without a limit. */
static void *
read_first (void *arg)
{
  char *data = map (COUNT);
  int r = nbd_pread (h, data, COUNT, 0, 0);

  CHECK (r == 0 || nbd_aio_is_dead (h) == 1);
  CHECK (munmap (data, COUNT) == 0);
  return arg;
}

/* Connects, and lets a thread wait for its reply by receiving. */
static struct request
begin (pthread_t *thread)
{
  struct request request;

  h = nbd_create ();
  peer = (struct peer) { .replies = SIMPLE };
  peer_accept (h, &peer);
  CHECK (pthread_create (thread, NULL, read_first, NULL) == 0);
  request = peer_request (&peer, NULL);
  /* A waiting thread cannot be detected, here and below. */
  usleep (20000);
  return request;
}

/* Sends one half of the data of a read. */
static void
send_half (void)
{
  char data[COUNT / 2] = { 0 };

  /* The handle may have closed the connection. */
  send (peer.fd, data, sizeof data, MSG_NOSIGNAL);
}

static void
answer_first (const struct request *request, pthread_t thread)
{
  struct bytes reply = { .count = 0 };

  put_simple_reply (&reply, request, 0);
  send (peer.fd, reply.data, reply.count, MSG_NOSIGNAL);
  send_half ();
  send_half ();
  CHECK (pthread_join (thread, NULL) == 0);
  nbd_close (h);
  peer_close (&peer);
}

static void *
answer_in_part_and_cancel (void *stop)
{
  struct request request = peer_request (&peer, NULL);

  peer_simple (&peer, &request, 0);
  send_half ();
  do {
    usleep (20000);
    CHECK (nbd_ext_cancel (h) == 0);
  } while (!__atomic_load_n ((bool *) stop, __ATOMIC_SEQ_CST));
  return NULL;
}

static void
synchronous (void)
{
  char *memory = map (COUNT);
  pthread_t first, second;
  struct request request = begin (&first);
  bool stop = false;

  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  CHECK (pthread_create (&second, NULL, answer_in_part_and_cancel, &stop) == 0);
  CHECK_ERROR (nbd_pread (h, memory, COUNT, COUNT, 0), ECANCELED);
  CHECK (munmap (memory, COUNT) == 0);
  __atomic_store_n (&stop, true, __ATOMIC_SEQ_CST);
  CHECK (pthread_join (second, NULL) == 0);
  send_half ();
  answer_first (&request, first);
}

static void *
send_the_rest (void *arg)
{
  usleep (20000);
  send_half ();
  return arg;
}

static void
asynchronous (void)
{
  char *memory = map (COUNT);
  pthread_t first, rest;
  struct request request = begin (&first), second;
  int64_t cookie = nbd_aio_pread (h, memory, COUNT, COUNT, NBD_NULL_COMPLETION,
                                  0);

  CHECK (cookie > 0);
  second = peer_request (&peer, NULL);
  peer_simple (&peer, &second, 0);
  send_half ();
  usleep (20000);
  CHECK (pthread_create (&rest, NULL, send_the_rest, NULL) == 0);
  if (nbd_ext_aio_cancel (h, cookie) == 1)
    CHECK_ERROR (nbd_aio_command_completed (h, cookie), ECANCELED);
  else
    CHECK (nbd_aio_command_completed (h, cookie) == 1);
  CHECK (munmap (memory, COUNT) == 0);
  CHECK (pthread_join (rest, NULL) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  answer_first (&request, first);
}

int
main (void)
{
  for (int i = 0; i < 5; ++i) {
    synchronous ();
    asynchronous ();
  }
  return 0;
}
