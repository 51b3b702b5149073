/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thread waits in nbd_poll for a command. Another thread's synchronous
 * command, which has exclusive use of the handle because of its callback,
 * receives the reply, before or after its own: nbd_poll returns.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/peer.h"

#include <pthread.h>

#define ROUNDS 200

/* A thread that checks, and calls nbd_poll only after its command has
 * completed, waits in vain, as with libnbd 1.24.4. On a busy machine that can
 * happen.
 */
#define MOST_IN_VAIN 10

static struct nbd_handle *h;
static int in_vain;
static struct peer peer;

static void *
ask (void *arg)
{
  struct record record = { .result = 0 };

  (void) arg;
  CHECK (nbd_block_status (h, 512, 0, EXTENT (&record), 0) == 0);
  CHECK_RECORD (record, "Mm");
  return NULL;
}

static void *
wait_in_poll (void *arg)
{
  int r;

  while ((r = nbd_aio_command_completed (h, *(int64_t *) arg)) == 0)
    in_vain += nbd_poll (h, 2000) == 0;
  CHECK (r == 1);
  return NULL;
}

static void
run (bool polled_for_first)
{
  struct bytes replies = { .count = 0 };
  struct request polled_for, other;
  pthread_t poller, asker;
  int64_t cookie;

  h = nbd_create ();
  peer = (struct peer) { .replies = STRUCTURED, .contexts = 1 };
  peer_accept (h, &peer);
  cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  CHECK (cookie > 0);
  polled_for = peer_request (&peer, NULL);
  CHECK (pthread_create (&poller, NULL, wait_in_poll, &cookie) == 0);
  usleep (2000); /* most likely it waits by now */
  CHECK (pthread_create (&asker, NULL, ask, NULL) == 0);
  other = peer_request (&peer, NULL);
  usleep (2000);
  if (polled_for_first)
    put_chunk_header (&replies, STRUCTURED, &polled_for, true, REPLY_NONE, 0);
  put_chunk_header (&replies, STRUCTURED, &other, true, REPLY_BLOCK_STATUS, 12);
  put32 (&replies, 1);
  put32 (&replies, 512);
  put32 (&replies, 0);
  if (!polled_for_first)
    put_chunk_header (&replies, STRUCTURED, &polled_for, true, REPLY_NONE, 0);
  peer_bytes (&peer, &replies);
  CHECK (pthread_join (asker, NULL) == 0);
  CHECK (pthread_join (poller, NULL) == 0);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  alarm (60);
  for (int i = 0; i < ROUNDS; ++i)
    run (i % 2);
  CHECK (in_vain <= MOST_IN_VAIN);
  return 0;
}
