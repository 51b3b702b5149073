/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* While one thread is blocked in a synchronous command, another one can query
 * the state, the direction, the count in flight, the statistics and the private
 * data without waiting. Stricter than libnbd 1.24.4, where some of these wait
 * for the lock.
 * Source: the promise of this library that calls which only look never wait.
 */
#include "../harness/peer.h"

#include <pthread.h>

static struct nbd_handle *h;
static char buf[512];

static void *
blocked_read (void *arg)
{
  (void) arg;
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  return NULL;
}

int
main (void)
{
  struct peer peer = { .replies = SIMPLE };
  struct request request;
  char answer[sizeof buf] = "data";
  pthread_t thread;

  alarm (10);
  h = nbd_create ();
  peer_connect (h, &peer);
  CHECK (nbd_set_private_data (h, 42) == 0);
  CHECK (pthread_create (&thread, NULL, blocked_read, NULL) == 0);
  /* From here on the reader waits for a reply that only this thread sends: a
   * call that waited for it would never return.
   */
  request = peer_request (&peer, NULL);
  /* The counters are updated soon after sending, but not at once. */
  for (int i = 0; i < 10000 && nbd_stats_chunks_sent (h) < 2; ++i)
    usleep (1000);
  for (int i = 0; i < 1000; ++i) {
    CHECK (nbd_aio_is_ready (h) + nbd_aio_is_processing (h) == 1);
    CHECK (nbd_aio_is_created (h) == 0);
    CHECK (nbd_aio_is_connecting (h) == 0);
    CHECK (nbd_aio_is_negotiating (h) == 0);
    CHECK (nbd_aio_is_dead (h) == 0);
    CHECK (nbd_aio_is_closed (h) == 0);
    CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
    CHECK (nbd_aio_in_flight (h) == 0);
    CHECK (nbd_connection_state (h) != NULL);
    CHECK (nbd_stats_bytes_sent (h) > 28);
    CHECK (nbd_stats_chunks_sent (h) == 2);
    CHECK (nbd_stats_bytes_received (h) > 16);
    CHECK (nbd_stats_chunks_received (h) == 1);
    CHECK (nbd_get_private_data (h) == 42);
    CHECK (nbd_set_private_data (h, 42) == 42);
    CHECK (nbd_supports_uri (h) == 1);
    CHECK (strcmp (nbd_get_version (h), "1.24.4") == 0);
  }
  peer_simple (&peer, &request, 0);
  peer_write (&peer, answer, sizeof answer);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (memcmp (buf, answer, sizeof buf) == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
