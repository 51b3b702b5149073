/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thread that waits in a read into pieces or a write from pieces can be
 * cancelled. The pieces are no longer accessed then, the rest of the request is
 * sent, and the handle can be used.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/peer.h"
#include "../harness/vectors.h"

#include <pthread.h>

#define PIECES 64
#define LENGTH (64 * 1024)

static struct nbd_handle *h;
static struct peer peer;
static struct vector v;

static void *
read_pieces (void *arg)
{
  (void) arg;
  nbd_ext_preadv (h, v.iov, v.count, 0, 0);
  CHECK (false);
  return NULL;
}

static void *
write_pieces (void *arg)
{
  (void) arg;
  nbd_ext_pwritev (h, v.iov, v.count, 0, 0);
  CHECK (false);
  return NULL;
}

/* Starts a thread. A waiting thread cannot be detected. */
static pthread_t
begin (void *(*start) (void *) )
{
  pthread_t thread;

  CHECK (pthread_create (&thread, NULL, start, NULL) == 0);
  usleep (20000);
  return thread;
}

/* Cancels the thread and makes its pieces unusable. */
static void
cancel (pthread_t thread)
{
  void *result;

  CHECK (pthread_cancel (thread) == 0);
  CHECK (pthread_join (thread, &result) == 0);
  CHECK (result == PTHREAD_CANCELED);
  fill_vector (&v, 'x');
  free_vector (&v);
}

static void *
drain (void *data)
{
  struct request request = peer_request (&peer, data);

  CHECK (request.type == NBD_CMD_WRITE);
  CHECK (request.length == PIECES * LENGTH);
  peer_success (&peer, &request);
  return NULL;
}

int
main (void)
{
  static char data[PIECES * LENGTH], got[PIECES * LENGTH];
  struct request request;
  pthread_t thread;

  h = nbd_create ();
  peer = (struct peer) { .replies = SIMPLE, .size = 64 * MIB };
  peer_connect (h, &peer);

  make_even_vector (&v, 50, PIECES);
  thread = begin (read_pieces);
  request = peer_request (&peer, NULL);
  cancel (thread);
  peer_simple (&peer, &request, 0);
  peer_write (&peer, data, PIECES * 50);
  handle_arrivals (h);
  peer_flush (h, &peer);

  /* The socket cannot hold the whole request. */
  for (size_t i = 0; i < sizeof data; ++i)
    data[i] = i % 249;
  make_even_vector (&v, LENGTH, PIECES);
  put_in_vector (&v, data);
  cancel (begin (write_pieces));
  CHECK (pthread_create (&thread, NULL, drain, got) == 0);
  while (nbd_aio_get_direction (h) & LIBNBD_AIO_DIRECTION_WRITE)
    CHECK (nbd_poll (h, LONG_ENOUGH) >= 0);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (memcmp (got, data, sizeof data) == 0);
  handle_arrivals (h);
  peer_flush (h, &peer);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
