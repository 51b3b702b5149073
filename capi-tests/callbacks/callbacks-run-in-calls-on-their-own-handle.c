/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A completion callback runs only inside a call on its own handle that moves
 * data, on the calling thread: not in calls on another handle, not in getters,
 * and not when a thread ends.  Programs hold locks of their own during those.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer-bursts.h"

#include <pthread.h>

static struct nbd_handle *h, *other;
static int completed;

static int
completion (void *user_data, int *error)
{
  (void) user_data, (void) error;
  ++completed;
  return 1;
}

static void
issue (struct nbd_handle *on)
{
  nbd_completion_callback callback = { .callback = completion };

  CHECK (nbd_aio_flush (on, callback, 0) > 0);
}

static void *
issue_in_another_thread (void *arg)
{
  (void) arg;
  issue (h);
  return NULL;
}

/* Calls that handle no reply of h. */
static void
look_around (void)
{
  CHECK (nbd_get_size (h) > 0);
  CHECK (nbd_can_flush (h) == 1);
  CHECK (nbd_aio_is_dead (h) == 0);
  CHECK (nbd_aio_in_flight (h) > 0);
  CHECK (nbd_stats_bytes_sent (h) > 0);
  CHECK (nbd_aio_get_direction (h) & LIBNBD_AIO_DIRECTION_READ);
  CHECK (nbd_aio_get_direction (other) & LIBNBD_AIO_DIRECTION_READ);
  CHECK (nbd_poll (other, 0) == 0);
  CHECK (nbd_get_size (other) > 0);
  CHECK (nbd_aio_get_fd (h) >= 0);
}

static void
issue_in_a_thread (void)
{
  pthread_t thread;

  CHECK (pthread_create (&thread, NULL, issue_in_another_thread, NULL) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
}

static void
replies_wait (void)
{
  struct peer peer, other_peer;
  struct request request;

  other = busy_handle (&other_peer);
  h = busy_handle (&peer);
  completed = 0;
  issue (h);
  issue_in_a_thread ();
  for (int i = 0; i < 2; ++i) {
    request = peer_request (&peer, NULL);
    peer_success (&peer, &request);
  }
  issue (other);
  look_around ();
  CHECK (completed == 0);
  handle_arrivals (h);
  CHECK (completed == 2);
  nbd_close (h);
  CHECK (completed == 2);
  nbd_close (other);
  CHECK (completed == 3);
  peer_close (&peer);
  peer_close (&other_peer);
}

/* The call that can no longer send ends everything. */
static void
server_is_gone (void)
{
  struct peer peer, other_peer;

  other = busy_handle (&other_peer);
  h = busy_handle (&peer);
  completed = 0;
  issue (h);
  issue (h);
  issue (other);
  peer_close (&peer);
  look_around ();
  CHECK (completed == 0);
  issue (h);
  CHECK (completed == 3);
  nbd_close (other);
  CHECK (completed == 4);
  nbd_close (h);
  CHECK (completed == 4);
  peer_close (&other_peer);
}

int
main (void)
{
  replies_wait ();
  server_is_gone ();
  return 0;
}
