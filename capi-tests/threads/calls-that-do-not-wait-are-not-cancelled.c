/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A cancelled thread returns from calls that do not wait for the server,
 * although they make system calls that are cancellation points: nbd_close
 * closes the socket, debug messages are written, TLS is loaded.
 * Source: the promise of this library (docs/threads.md). libnbd 1.24.4 was seen to end the
 * thread there, and to leave the handle half closed.
 */
#include "../harness/peer.h"

#include <pthread.h>

static struct nbd_handle *h;

static void
supports_tls (void)
{
  CHECK (nbd_supports_tls (h) >= 0);
}

static void
looks (void)
{
  CHECK (nbd_set_debug (h, true) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_set_debug (h, false) == 0);
}

static void
issues (void)
{
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) > 0);
}

static void
closes (void)
{
  nbd_close (h);
}

struct act {
  void (*call) (void);
  bool came_back;
};

static void *
call_cancelled (void *arg)
{
  struct act *act = arg;

  CHECK (pthread_cancel (pthread_self ()) == 0);
  act->call ();
  act->came_back = true;
  pthread_testcancel ();
  return NULL;
}

int
main (void)
{
  struct act acts[] = {
    { .call = supports_tls },
    { .call = looks },
    { .call = issues },
    { .call = closes },
  };
  struct peer peer = { .replies = SIMPLE };
  size_t i;

  h = nbd_create ();
  peer_accept (h, &peer);
  for (i = 0; i < ITEMS (acts); ++i) {
    pthread_t thread;
    void *result;

    CHECK (pthread_create (&thread, NULL, call_cancelled, &acts[i]) == 0);
    CHECK (pthread_join (thread, &result) == 0);
    CHECK (acts[i].came_back && result == PTHREAD_CANCELED);
  }
  peer_close (&peer);
  return 0;
}
