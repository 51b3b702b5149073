/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call with a time limit, or one that is cancelled, does not wait longer for
 * another thread that has exclusive use of the handle.
 *
 * Source: nbd_ext_set_timeout(3), nbd_ext_cancel(3).
 */
#include "../harness/peer.h"

#include <libnbd-ext.h>

#include <pthread.h>
#include <stdatomic.h>

static struct nbd_handle *h;
static atomic_bool ended;
static struct peer peer = { .replies = SIMPLE, .size = 64 * MIB };

static int
ignore_chunk (void *user_data, const void *data, size_t count, uint64_t offset,
              unsigned status, int *error)
{
  (void) user_data;
  (void) data;
  (void) count;
  (void) offset;
  (void) status;
  (void) error;
  return 0;
}

/* A command with a data callback has exclusive use of the handle. */
static void *
read_with_callback (void *arg)
{
  nbd_chunk_callback callback = { .callback = ignore_chunk };

  CHECK (nbd_pread_structured (h, arg, 512, 0, callback, 0) == 0);
  return NULL;
}

static void *
flush (void *arg)
{
  (void) arg;
  CHECK_ERROR (nbd_flush (h, 0), ECANCELED);
  ended = true;
  return NULL;
}

int
main (void)
{
  static char data[512];
  pthread_t reading, waiting;
  struct request request;

  h = nbd_create ();
  CHECK (h != NULL);
  peer_accept (h, &peer);
  CHECK (pthread_create (&reading, NULL, read_with_callback, data) == 0);
  request = peer_request (&peer, NULL);

  CHECK (nbd_ext_set_timeout (h, 50) == 0);
  CHECK_ERROR (nbd_flush (h, 0), ETIMEDOUT);

  CHECK (nbd_ext_set_timeout (h, 0) == 0);
  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  CHECK (pthread_create (&waiting, NULL, flush, NULL) == 0);
  /* It may begin after the first one. */
  for (; !ended; usleep (1000))
    CHECK (nbd_ext_cancel (h) == 0);
  CHECK (pthread_join (waiting, NULL) == 0);

  /* The first call began before cancellation was allowed. */
  peer_simple (&peer, &request, 0);
  peer_write (&peer, data, sizeof data);
  CHECK (pthread_join (reading, NULL) == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
