/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pthread_cancel(3) ends a thread that waits for the server: in nbd_poll, in a
 * synchronous command, while it connects, in an option, in nbd_shutdown.
 * nbd_close works afterwards, and each closure has been freed once.
 * Source: seen with libnbd 1.24.4, which does not free the closure of the option.
 */
#include "../harness/peer-handshake.h"

#include <pthread.h>

static struct nbd_handle *h;
static struct peer peer;
static struct record chunks;
static int freed;

/* The operations of the threads, each of which blocks forever. */

static void *
polls (void *arg)
{
  nbd_poll (h, -1);
  return arg;
}

static void *
polls_two (void *arg)
{
  int pipes[2];

  CHECK (pipe (pipes) == 0);
  nbd_poll2 (h, pipes[0], -1);
  return arg;
}

static void *
reads (void *arg)
{
  char data[512];

  nbd_pread (h, data, sizeof data, 0, 0);
  return arg;
}

static void *
reads_chunks (void *arg)
{
  char data[512];

  nbd_pread_structured (h, data, sizeof data, 0, CHUNK (&chunks), 0);
  return arg;
}

static void *
flushes (void *arg)
{
  nbd_flush (h, 0);
  return arg;
}

static void *
shuts_down (void *arg)
{
  nbd_shutdown (h, 0);
  return arg;
}

static void *
connects (void *arg)
{
  nbd_connect_socket (h, scripted_server ("", 0, &peer.fd));
  return arg;
}

static void *
lists (void *arg)
{
  nbd_opt_list (h, (nbd_list_callback) { .callback = no_list,
                                         .user_data = &freed,
                                         .free = count_free });
  return arg;
}

/* A waiting thread cannot be detected. */
static void
cancel_soon (void *(*does) (void *) )
{
  pthread_t thread;
  void *result;

  CHECK (pthread_create (&thread, NULL, does, NULL) == 0);
  usleep (20000);
  CHECK (pthread_cancel (thread) == 0);
  CHECK (pthread_join (thread, &result) == 0);
  CHECK (result == PTHREAD_CANCELED);
}

int
main (void)
{
  void *(*const with_connection[]) (void *) = {
    polls, polls_two, reads, reads_chunks, flushes, shuts_down,
  };
  struct script script;
  size_t i;

  alarm (60);
  for (i = 0; i < ITEMS (with_connection); ++i) {
    h = nbd_create ();
    peer = (struct peer) { .replies = STRUCTURED };
    peer_accept (h, &peer);
    cancel_soon (with_connection[i]);
    nbd_close (h);
    peer_close (&peer);
  }

  CHECK_RECORD (chunks, "m");

  h = nbd_create ();
  cancel_soon (connects);
  nbd_close (h);
  peer_close (&peer);

  script = script_begin (GREETING_FIXED, true);
  CHECK (script_connect (&script) == 0);
  h = script.h;
  cancel_soon (lists);
  nbd_close (h);
  CHECK (freed == 1);
  close (script.server);
  return 0;
}
