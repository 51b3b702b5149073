/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A write and nbd_shutdown wait for another thread's write, and the connection
 * ends meanwhile. They are then refused as if they had been called afterwards,
 * and change nothing.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

#include <pthread.h>

#define SIZE 512

static struct nbd_handle *h;
static struct peer peer;
static char data[SIZE], received[SIZE];

static void *
write_first (void *arg)
{
  (void) arg;
  CHECK_ERROR (nbd_pwrite (h, data, SIZE, 0, 0), ENOTCONN);
  return NULL;
}

static void *
write_next (void *arg)
{
  (void) arg;
  CHECK_ERROR (nbd_pwrite (h, data, SIZE, 0, 0), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_pwrite: invalid state: CLOSED: the handle must be "
                       "connected with the server: Invalid argument");
  return NULL;
}

static void *
shut_down (void *arg)
{
  (void) arg;
  CHECK_ERROR (nbd_shutdown (h, 0), EINVAL);
  CHECK_MESSAGE ("nbd_shutdown: invalid state: CLOSED");
  return NULL;
}

int
main (void)
{
  pthread_t threads[3];

  h = nbd_create ();
  peer_connect (h, &peer);
  CHECK (pthread_create (&threads[0], NULL, write_first, NULL) == 0);
  peer_request (&peer, received);
  CHECK (pthread_create (&threads[1], NULL, write_next, NULL) == 0);
  CHECK (pthread_create (&threads[2], NULL, shut_down, NULL) == 0);
  usleep (20000); /* most likely both wait by now */
  peer_close (&peer);
  for (unsigned i = 0; i < ITEMS (threads); ++i)
    CHECK (pthread_join (threads[i], NULL) == 0);
  CHECK (nbd_aio_is_closed (h) == 1);
  nbd_close (h);
  return 0;
}
