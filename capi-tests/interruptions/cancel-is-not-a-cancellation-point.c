/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thread that pthread_cancel(3) has been called for can call nbd_ext_cancel,
 * which returns and does its work, although write(2) is a cancellation point.
 * Source: docs/threads.md: there are none except in calls that wait.
 */
#include "../harness/peer.h"

#include <libnbd-ext.h>

#include <pthread.h>

static struct nbd_handle *h;
static bool came_back;

static void *
cancel_while_cancelled (void *arg)
{
  CHECK (pthread_cancel (pthread_self ()) == 0);
  CHECK (nbd_ext_cancel (h) == 0);
  came_back = true;
  pthread_testcancel ();
  return arg;
}

static void *
poll_until_cancelled (void *arg)
{
  CHECK_ERROR (nbd_poll (h, LONG_ENOUGH), ECANCELED);
  return arg;
}

int
main (void)
{
  struct peer peer = { .replies = SIMPLE };
  pthread_t canceller, poller;
  void *result;

  h = nbd_create ();
  peer_accept (h, &peer);
  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  CHECK (pthread_create (&poller, NULL, poll_until_cancelled, NULL) == 0);
  /* A waiting thread cannot be detected. */
  usleep (20000);
  CHECK (pthread_create (&canceller, NULL, cancel_while_cancelled, NULL) == 0);
  CHECK (pthread_join (canceller, &result) == 0);
  CHECK (came_back && result == PTHREAD_CANCELED);
  CHECK (pthread_join (poller, NULL) == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
