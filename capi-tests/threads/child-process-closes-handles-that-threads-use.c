/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A child of fork(2) can close handles that its parent's threads were using: in
 * a synchronous command, in nbd_poll, or with the lock of the handle held.
 * Nothing completes in the child, closures are freed, and the parent continues.
 * The child's own handles work.
 * Source: fork(2): the child has one thread.
 */
#include "../harness/peer.h"

#include <pthread.h>
#include <sys/wait.h>

static struct nbd_handle *reading, *polling, *connecting;
static struct peer read_peer, poll_peer;
static int completed, freed;

static void *
read_data (void *arg)
{
  static char data[512];

  (void) arg;
  CHECK (nbd_pread (reading, data, sizeof data, 0, 0) == 0);
  return NULL;
}

static void *
poll_for_events (void *arg)
{
  (void) arg;
  CHECK (nbd_poll (polling, -1) == 1);
  return NULL;
}

static void *
connect_to_nothing (void *arg)
{
  int *fd = arg;

  CHECK (nbd_connect_socket (connecting, *fd) == -1);
  return NULL;
}

static int
count_completion (void *user_data, int *error)
{
  (void) user_data, (void) error;
  ++completed;
  return 0;
}

static void
in_the_child (void)
{
  struct nbd_handle *own;
  char byte;

  alarm (20);
  nbd_close (reading);
  nbd_close (polling);
  nbd_close (connecting);
  CHECK (completed == 0 && freed == 1);
  own = connected ("--size", "1M");
  CHECK (nbd_pread (own, &byte, 1, 0, 0) == 0);
  nbd_close (own);
  _exit (0);
}

int
main (void)
{
  nbd_completion_callback completion = { .callback = count_completion,
                                         .user_data = &freed,
                                         .free = count_free };
  struct request request, flush;
  pthread_t reader, poller, connector;
  int sockets[2], status;
  char data[512] = "";
  pid_t child;

  /* The child loses memory of the parent's threads, which valgrind reports as a
   * leak.
   */
  if (getenv ("TEST_UNDER_VALGRIND"))
    return 0;
  alarm (60);
  reading = nbd_create ();
  polling = nbd_create ();
  connecting = nbd_create ();
  read_peer.replies = poll_peer.replies = SIMPLE;
  peer_accept (reading, &read_peer);
  peer_accept (polling, &poll_peer);
  CHECK (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  CHECK (nbd_aio_flush (polling, completion, 0) == 1);
  flush = peer_request (&poll_peer, NULL);
  CHECK (pthread_create (&reader, NULL, read_data, NULL) == 0);
  CHECK (pthread_create (&poller, NULL, poll_for_events, NULL) == 0);
  CHECK (pthread_create (&connector, NULL, connect_to_nothing, &sockets[0])
         == 0);
  request = peer_request (&read_peer, NULL);
  usleep (50000);

  child = fork ();
  CHECK (child != -1);
  if (child == 0)
    in_the_child ();
  CHECK (waitpid (child, &status, 0) == child);
  CHECK (WIFEXITED (status) && WEXITSTATUS (status) == 0);

  peer_simple (&read_peer, &request, 0);
  peer_write (&read_peer, data, sizeof data);
  peer_simple (&poll_peer, &flush, 0);
  close (sockets[1]);
  CHECK (pthread_join (reader, NULL) == 0);
  CHECK (pthread_join (poller, NULL) == 0);
  CHECK (pthread_join (connector, NULL) == 0);
  CHECK (completed == 1);
  nbd_close (reading);
  nbd_close (polling);
  nbd_close (connecting);
  CHECK (freed == 1);
  peer_close (&read_peer);
  peer_close (&poll_peer);
  return 0;
}
