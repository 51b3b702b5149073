/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A command that nbd_ext_aio_cancel completes is a completion for other threads
 * that wait in nbd_poll on a handle whose calls can be cancelled: each returns
 * 1, the one that waits for the server and those that wait for it. So does the
 * next nbd_poll of a thread that checked the command just before.
 * Source: nbd_ext_aio_cancel(3).
 */
#include "../harness/peer.h"

#include <libnbd-ext.h>

#include <pthread.h>

#define THREADS 4

static struct nbd_handle *h;
static int polling;

static void *
poll_once (void *arg)
{
  __atomic_add_fetch (&polling, 1, __ATOMIC_SEQ_CST);
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  return arg;
}

int
main (void)
{
  struct peer peer = { .replies = SIMPLE };
  pthread_t threads[THREADS];
  char data[512];

  h = nbd_create ();
  peer_accept (h, &peer);
  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  for (int round = 0; round < 10; ++round) {
    int64_t cookie = nbd_aio_pread (h, data, sizeof data, 0,
                                    NBD_NULL_COMPLETION, 0);

    CHECK (cookie > 0);
    for (int i = 0; i < THREADS; ++i)
      CHECK (pthread_create (&threads[i], NULL, poll_once, NULL) == 0);
    while (__atomic_load_n (&polling, __ATOMIC_SEQ_CST) < (round + 1) * THREADS)
      usleep (100);
    /* Waiting threads cannot be detected. */
    usleep (20000);
    CHECK (nbd_ext_aio_cancel (h, cookie) == 1);
    for (int i = 0; i < THREADS; ++i)
      CHECK (pthread_join (threads[i], NULL) == 0);
    CHECK_ERROR (nbd_aio_command_completed (h, cookie), ECANCELED);
    handle_arrivals (h);

    cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
    CHECK (nbd_aio_command_completed (h, cookie) == 0);
    CHECK (nbd_ext_aio_cancel (h, cookie) == 1);
    CHECK (nbd_poll (h, -1) == 1);
    CHECK (nbd_poll (h, 0) == 0);
    CHECK_ERROR (nbd_aio_command_completed (h, cookie), ECANCELED);
  }
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
