/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Synchronous commands of several threads on one handle are in flight at the
 * same time. Overlapping ranges are accessed one after the other, unless both
 * commands only read; a flush waits for the writes before it. With libnbd
 * 1.24.4, one command waits for the other.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/peer.h"

#include <pthread.h>

#define THREADS 8
#define SIZE 512

static struct nbd_handle *h;
static struct peer peer;

struct job {
  int type;
  uint64_t offset;
  int errnum; /* error number of the result */
  char data[SIZE];
  pthread_t thread;
};

static void *
work (void *arg)
{
  struct job *job = arg;
  int r = -1;

  if (job->type == NBD_CMD_READ)
    r = nbd_pread (h, job->data, SIZE, job->offset, 0);
  else if (job->type == NBD_CMD_WRITE)
    r = nbd_pwrite (h, job->data, SIZE, job->offset, 0);
  else
    r = nbd_flush (h, 0);
  job->errnum = r == 0 ? 0 : nbd_get_errno ();
  return NULL;
}

static void
start (struct job *job, int type, uint64_t offset)
{
  job->type = type;
  job->offset = offset;
  CHECK (pthread_create (&job->thread, NULL, work, job) == 0);
}

static void
finish (struct job *job, int errnum)
{
  CHECK (pthread_join (job->thread, NULL) == 0);
  CHECK (job->errnum == errnum);
}

static void
answer (const struct request *request, int error)
{
  char data[SIZE];

  peer_simple (&peer, request, error);
  if (request->type == NBD_CMD_READ && error == 0) {
    memset (data, 'a' + request->offset / SIZE, sizeof data);
    peer_write (&peer, data, sizeof data);
  }
}

/* Checks that no request arrives for a while. A premature request is detected
 * sooner or later; its absence is expected.
 */
static void
expect_nothing (void)
{
  char byte;

  usleep (20000);
  CHECK (recv (peer.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -1);
}

static void
all_at_once (void)
{
  static struct job jobs[THREADS];
  struct request requests[THREADS];

  for (int i = 0; i < THREADS; ++i)
    start (&jobs[i], NBD_CMD_READ, i * SIZE);
  /* Nothing is answered before all requests have arrived. */
  for (int i = 0; i < THREADS; ++i)
    requests[i] = peer_request (&peer, NULL);
  for (int i = THREADS - 1; i >= 0; --i)
    answer (&requests[i], requests[i].offset == 3 * SIZE ? EIO : 0);
  for (int i = 0; i < THREADS; ++i) {
    finish (&jobs[i], i == 3 ? EIO : 0);
    for (int j = 0; i != 3 && j < SIZE; ++j)
      CHECK (jobs[i].data[j] == 'a' + i);
  }
  CHECK (nbd_aio_in_flight (h) == 0);
}

static void
conflicts_wait (void)
{
  static struct job write, again, read, elsewhere, flush;
  struct request first, second;
  char data[SIZE];

  start (&write, NBD_CMD_WRITE, 0);
  first = peer_request (&peer, data);
  start (&again, NBD_CMD_WRITE, SIZE - 1);
  expect_nothing ();
  start (&read, NBD_CMD_READ, SIZE);
  expect_nothing ();
  start (&flush, NBD_CMD_FLUSH, 0);
  expect_nothing ();
  start (&elsewhere, NBD_CMD_WRITE, 4 * SIZE);
  second = peer_request (&peer, data);
  CHECK (second.offset == 4 * SIZE);
  answer (&second, 0);
  finish (&elsewhere, 0);
  expect_nothing ();
  answer (&first, 0);
  finish (&write, 0);
  first = peer_request (&peer, data);
  CHECK (first.offset == SIZE - 1);
  expect_nothing ();
  answer (&first, 0);
  finish (&again, 0);
  first = peer_request (&peer, NULL);
  second = peer_request (&peer, NULL);
  CHECK (first.type + second.type == NBD_CMD_READ + NBD_CMD_FLUSH);
  answer (&first, 0);
  answer (&second, 0);
  finish (&read, 0);
  finish (&flush, 0);
}

/* The connection dies: each call has its own error. */
static void
all_fail_with_the_connection (void)
{
  static struct job jobs[THREADS];

  for (int i = 0; i < THREADS; ++i)
    start (&jobs[i], NBD_CMD_READ, i * SIZE);
  for (int i = 0; i < THREADS; ++i)
    peer_request (&peer, NULL);
  peer_close (&peer);
  for (int i = 0; i < THREADS; ++i)
    finish (&jobs[i], ENOTCONN);
  CHECK (nbd_aio_is_closed (h) == 1 || nbd_aio_is_dead (h) == 1);
}

int
main (void)
{
  alarm (60);
  h = nbd_create ();
  peer.replies = SIMPLE;
  CHECK (nbd_set_strict_mode (h, 0) == 0);
  peer_connect (h, &peer);
  for (int i = 0; i < 20; ++i)
    all_at_once ();
  conflicts_wait ();
  all_fail_with_the_connection ();
  nbd_close (h);
  return 0;
}
