/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A callback that disables pthread_cancel(3) and then enables it, instead of
 * restoring the previous state, does not allow cancellation in the rest of the
 * call. A function that frees data runs to its end even in a call that fails at
 * once.
 * Source: the promise of this library (docs/threads.md). libnbd 1.24.4 was seen to end the
 * thread in the next system call that it makes.
 */
#include "../harness/peer.h"

#include <pthread.h>

static struct nbd_handle *h;
static bool came_back;

static int
cancel_and_allow_it (void *user_data, int *error)
{
  (void) user_data, (void) error;
  CHECK (pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL) == 0);
  CHECK (pthread_cancel (pthread_self ()) == 0);
  CHECK (pthread_setcancelstate (PTHREAD_CANCEL_ENABLE, NULL) == 0);
  return 1;
}

/* A debug message follows, which is written to standard error. */
static void *
notify_read (void *arg)
{
  CHECK (nbd_set_debug (h, true) == 0);
  CHECK (nbd_aio_notify_read (h) == 0);
  came_back = true;
  pthread_testcancel ();
  return arg;
}

static void
free_slowly (void *user_data)
{
  usleep (1000);
  *(bool *) user_data = true;
}

static void *
fail_at_once (void *arg)
{
  static uint64_t memory[512];
  struct nbd_handle *none = (struct nbd_handle *) memory;
  bool freed = false;
  nbd_completion_callback completion = {
    .user_data = &freed,
    .free = free_slowly,
  };

  CHECK (pthread_cancel (pthread_self ()) == 0);
  CHECK_ERROR (nbd_aio_flush (none, completion, 0), EFAULT);
  CHECK (freed);
  came_back = true;
  pthread_testcancel ();
  return arg;
}

static void
is_cancelled_afterwards (void *(*does) (void *) )
{
  pthread_t thread;
  void *result;

  came_back = false;
  CHECK (pthread_create (&thread, NULL, does, NULL) == 0);
  CHECK (pthread_join (thread, &result) == 0);
  CHECK (came_back && result == PTHREAD_CANCELED);
}

int
main (void)
{
  struct peer peer = { .replies = SIMPLE };
  struct request request;

  h = nbd_create ();
  peer_accept (h, &peer);
  CHECK (nbd_aio_flush (
             h, (nbd_completion_callback) { .callback = cancel_and_allow_it },
             0)
         > 0);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 0);
  is_cancelled_afterwards (notify_read);
  is_cancelled_afterwards (fail_at_once);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
