/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each debug message "poll start" is followed by a "poll end" with the result
 * of poll(2), even if it failed, or if nbd_poll leaves the received data to a
 * call of another thread.
 * Source: seen with libnbd 1.24.4, where no call of another thread can come between.
 */
#include "../harness/peer.h"
#include "../harness/real-calls.h"

#include <pthread.h>

static struct nbd_handle *h;
static struct peer peer;
static int starts, ends, failures;
static bool fail_next;

/* The library calls this function. */
int
poll (struct pollfd *fds, nfds_t count, int timeout)
{
  if (__atomic_exchange_n (&fail_next, false, __ATOMIC_SEQ_CST)) {
    errno = ENOMEM;
    return -1;
  }
  return real_poll (fds, count, timeout);
}

static int
count_messages (void *user_data, const char *context, const char *message)
{
  (void) user_data, (void) context;
  if (strncmp (message, "poll start: ", 12) == 0)
    __atomic_add_fetch (&starts, 1, __ATOMIC_SEQ_CST);
  if (strncmp (message, "poll end: ", 10) == 0)
    __atomic_add_fetch (&ends, 1, __ATOMIC_SEQ_CST);
  if (strcmp (message, "poll end: r=-1 revents=0") == 0)
    ++failures;
  return 0;
}

static int
no_extents (void *user_data, const char *context, uint64_t offset,
            uint32_t *entries, size_t count, int *error)
{
  (void) user_data, (void) context, (void) offset;
  (void) entries, (void) count, (void) error;
  return 0;
}

static void *
ask (void *arg)
{
  nbd_extent_callback extent = { .callback = no_extents };

  CHECK (nbd_block_status (h, 512, 0, extent, 0) == 0);
  return arg;
}

static void *
wait_in_poll (void *arg)
{
  while (nbd_aio_command_completed (h, *(int64_t *) arg) == 0)
    CHECK (nbd_poll (h, -1) == 1);
  return NULL;
}

/* The reply arrives while one thread is in nbd_poll, and is for another one. */
static void
answer_another_thread (void)
{
  struct bytes extents = { .count = 0 };
  struct request polled_for, other;
  pthread_t poller, asker;
  int64_t cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);

  CHECK (cookie > 0);
  polled_for = peer_request (&peer, NULL);
  CHECK (pthread_create (&poller, NULL, wait_in_poll, &cookie) == 0);
  usleep (2000); /* most likely it waits by now */
  CHECK (pthread_create (&asker, NULL, ask, NULL) == 0);
  other = peer_request (&peer, NULL);
  put32 (&extents, 1);
  put32 (&extents, 512);
  put32 (&extents, 0);
  peer_chunk (&peer, &other, true, REPLY_BLOCK_STATUS, &extents);
  CHECK (pthread_join (asker, NULL) == 0);
  peer_success (&peer, &polled_for);
  CHECK (pthread_join (poller, NULL) == 0);
}

int
main (void)
{
  h = nbd_create ();
  peer = (struct peer) { .replies = STRUCTURED, .contexts = 1 };
  peer_accept (h, &peer);
  CHECK (nbd_set_debug_callback (
             h, (nbd_debug_callback) { .callback = count_messages })
         == 0);
  CHECK (nbd_set_debug (h, true) == 0);
  fail_next = true;
  CHECK_ERROR (nbd_poll (h, 1), ENOMEM);
  CHECK (starts == 1 && ends == 1 && failures == 1);
  CHECK (nbd_poll (h, 1) == 0);
  CHECK (starts == 2 && ends == 2 && failures == 1);
  for (int i = 0; i < 20; ++i)
    answer_another_thread ();
  CHECK (starts == ends);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
