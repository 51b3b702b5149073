/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call that waits for another thread is interrupted like one that waits for the
 * server: for a write of the same bytes, for a command with a callback, which has
 * exclusive use of the handle and keeps its lock, and for a thread in nbd_poll
 * that receives for all. The other thread gets its reply. A shutdown that has not
 * begun leaves the connection as it is.
 * Source: nbd_ext_set_timeout(3), nbd_ext_cancel(3).
 */
#include "../harness/interruptions.h"

#include <pthread.h>

#define COUNT 512

static struct peer peer;
static struct nbd_handle *h;
static char data[COUNT], other_data[COUNT];

static int
ask_flush (struct nbd_handle *handle, void *arg)
{
  (void) arg;
  return nbd_flush (handle, 0);
}

static int
read_same (struct nbd_handle *handle, void *arg)
{
  (void) arg;
  return nbd_pread (handle, data, COUNT, 0, 0);
}

static int
read_others (struct nbd_handle *handle, void *arg)
{
  (void) arg;
  return nbd_pread (handle, data, COUNT, 4096, 0);
}

static int
block_status (struct nbd_handle *handle, void *arg)
{
  struct record record = { .result = 0 };
  int r = nbd_block_status (handle, COUNT, 0, EXTENT (&record), 0);

  (void) arg;
  CHECK_RECORD (record, "m");
  return r;
}

static int
shut_down (struct nbd_handle *handle, void *arg)
{
  (void) arg;
  return nbd_shutdown (handle, 0);
}

static int (*const calls[]) (struct nbd_handle *, void *) = {
  ask_flush, read_same, read_others, block_status, shut_down,
};

/* The calls of the other thread, which cannot be interrupted: they began before.
 */
static void *
write_first (void *arg)
{
  CHECK (nbd_pwrite (h, other_data, COUNT, 0, 0) == 0);
  return arg;
}

static void *
map_first (void *arg)
{
  struct record record = { .result = 0 };

  CHECK_ERROR (nbd_block_status (h, COUNT, 0, EXTENT (&record), 0), EIO);
  CHECK_RECORD (record, "m");
  return arg;
}

static void *
poll_first (void *arg)
{
  int r;

  /* If this thread is slow, the cancellation applies to its call, too. */
  while ((r = nbd_poll (h, -1)) == -1 && nbd_get_errno () == ECANCELED)
    ;
  CHECK (r == 1);
  return arg;
}

static void
after (void *(*first) (void *), enum interruption how, size_t call)
{
  struct request request;
  char payload[COUNT];
  pthread_t thread;
  int64_t cookie = 0;

  h = nbd_create ();
  peer = (struct peer) { .replies = STRUCTURED, .contexts = 1 };
  peer_connect (h, &peer);
  if (first == poll_first)
    cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  CHECK (pthread_create (&thread, NULL, first, NULL) == 0);
  if (first == write_first) {
    request = peer_request (&peer, payload);
    CHECK (request.type == NBD_CMD_WRITE);
  } else {
    request = peer_request (&peer, NULL);
    /* A waiting thread cannot be detected. */
    if (first == poll_first)
      usleep (20000);
  }

  interrupt_call (h, how, calls[call], NULL);
  if (calls[call] == shut_down && first == poll_first) {
    CHECK (nbd_aio_is_dead (h) == 1);
    CHECK (pthread_join (thread, NULL) == 0);
  } else {
    CHECK (nbd_aio_is_ready (h) == 1);
    if (first == map_first)
      peer_error (&peer, &request, true, EIO);
    else
      peer_success (&peer, &request);
    CHECK (pthread_join (thread, NULL) == 0);
    CHECK (first != poll_first || wait_for (h, cookie) == 1);
    CHECK (nbd_aio_is_ready (h) == 1);
  }
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  for (int how = TIMEOUT; how <= CANCEL; ++how)
    for (size_t call = 0; call < ITEMS (calls); ++call) {
      after (write_first, how, call);
      after (map_first, how, call);
      after (poll_first, how, call);
    }
  return 0;
}
