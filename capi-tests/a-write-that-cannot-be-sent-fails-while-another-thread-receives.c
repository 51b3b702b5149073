/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rest of a write cannot be sent, while another thread receives: nbd_pwrite fails with
 * the error of the socket, once that thread has woken, and so does its read.
 * Source: the promise of this library (docs/threads.md).
 */
#include "harness-commands.h"

#include <pthread.h>

static struct nbd_handle *h;

static void *
read_in_vain (void *arg)
{
  char data[512];

  CHECK (nbd_pread (h, data, sizeof data, 0, 0) == -1);
  return arg;
}

static void *
write_in_vain (void *arg)
{
  static char data[32 * MIB];

  CHECK_ERROR (nbd_pwrite (h, data, sizeof data, MIB, 0), EPIPE);
  CHECK_MESSAGE ("nbd_pwrite: send: ");
  return arg;
}

/* There is no way to see that a thread waits already. */
static void
let_it_wait (void)
{
  usleep (20000);
}

int
main (void)
{
  struct peer peer = { .replies = SIMPLE, .size = 64 * MIB };
  pthread_t reader, writer;
  char data[4096];

  h = nbd_create ();
  peer_accept (h, &peer);
  CHECK (pthread_create (&reader, NULL, read_in_vain, NULL) == 0);
  peer_request (&peer, NULL);
  let_it_wait ();
  CHECK (pthread_create (&writer, NULL, write_in_vain, NULL) == 0);
  let_it_wait ();

  /* The server receives no more, which a client that only receives cannot see. */
  CHECK (shutdown (peer.fd, SHUT_RD) == 0);
  while (recv (peer.fd, data, sizeof data, MSG_DONTWAIT) > 0)
    ;
  CHECK (pthread_join (writer, NULL) == 0);
  CHECK (pthread_join (reader, NULL) == 0);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
