/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* While a thread waits in a synchronous command, others can issue commands,
 * poll and handle events. The waiting thread receives their replies. Calls that
 * change the state of the connection run after the command. With libnbd 1.24.4,
 * all of them wait for the command.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/peer.h"

#include <pthread.h>
#include <sys/eventfd.h>

#define LARGE (32 << 20)

static struct nbd_handle *h;
static struct peer peer;
static char data[512];
static char *large, *received;

static void *
read_data (void *arg)
{
  (void) arg;
  CHECK (nbd_pread (h, data, sizeof data, 0, 0) == 0);
  return NULL;
}

static void *
write_large (void *arg)
{
  (void) arg;
  CHECK (nbd_pwrite (h, large, LARGE, 4096, 0) == 0);
  return NULL;
}

static void *
shut_down (void *arg)
{
  (void) arg;
  CHECK (nbd_shutdown (h, 0) == 0);
  return NULL;
}

static void
answer_read (const struct request *request)
{
  static const char answer[sizeof data] = "data";

  peer_simple (&peer, request, 0);
  peer_write (&peer, answer, sizeof answer);
}

/* There is no way to detect that the thread is waiting. */
static void
let_it_wait (void)
{
  usleep (20000);
}

static void
others_go_on (void)
{
  int event = eventfd (0, EFD_CLOEXEC);
  struct request reading, request;
  uint64_t one = 1;
  pthread_t thread;
  int64_t cookie;

  CHECK (pthread_create (&thread, NULL, read_data, NULL) == 0);
  reading = peer_request (&peer, NULL);
  let_it_wait ();
  CHECK (nbd_poll (h, 0) == 0);
  CHECK (nbd_poll (h, 10) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  CHECK (nbd_poll2 (h, event, 10) == 0);
  CHECK (write (event, &one, sizeof one) == sizeof one);
  CHECK (nbd_poll2 (h, event, -1) == 1);

  cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  CHECK (cookie > 0);
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_FLUSH);
  CHECK (nbd_aio_in_flight (h) == 1);
  peer_simple (&peer, &request, 0);
  CHECK (nbd_poll (h, -1) == 1);
  CHECK (nbd_aio_peek_command_completed (h) == cookie);
  CHECK (nbd_aio_command_completed (h, cookie) == 1);
  /* The other thread's command cannot be retired here. */
  CHECK (nbd_aio_command_completed (h, be64toh (reading.cookie)) == 0);

  answer_read (&reading);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
  close (event);
}

/* One waits to receive, the other one for space to send. */
static void
a_large_write_goes_on (void)
{
  struct request reading, writing;
  pthread_t reader, writer;

  CHECK (pthread_create (&reader, NULL, read_data, NULL) == 0);
  reading = peer_request (&peer, NULL);
  let_it_wait ();
  CHECK (pthread_create (&writer, NULL, write_large, NULL) == 0);
  writing = peer_request (&peer, received);
  CHECK (writing.length == LARGE);
  CHECK (memcmp (received, large, LARGE) == 0);
  peer_simple (&peer, &writing, 0);
  CHECK (pthread_join (writer, NULL) == 0);
  answer_read (&reading);
  CHECK (pthread_join (reader, NULL) == 0);
}

static void
shutdown_comes_after_it (void)
{
  struct request reading, request;
  pthread_t reader, closer;
  char byte;

  CHECK (pthread_create (&reader, NULL, read_data, NULL) == 0);
  reading = peer_request (&peer, NULL);
  let_it_wait ();
  CHECK (pthread_create (&closer, NULL, shut_down, NULL) == 0);
  let_it_wait ();
  CHECK (recv (peer.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -1);
  answer_read (&reading);
  CHECK (pthread_join (reader, NULL) == 0);
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_DISC);
  peer_close (&peer);
  CHECK (pthread_join (closer, NULL) == 0);
}

/* A program's own loop must not interfere with the thread. */
static void
events_are_handled_by_it (void)
{
  struct request reading;
  pthread_t thread;

  CHECK (pthread_create (&thread, NULL, read_data, NULL) == 0);
  reading = peer_request (&peer, NULL);
  let_it_wait ();
  CHECK (nbd_aio_get_fd (h) >= 0);
  CHECK (nbd_aio_notify_read (h) == 0);
  answer_read (&reading);
  CHECK (pthread_join (thread, NULL) == 0);
}

int
main (void)
{
  alarm (60);
  large = malloc (LARGE);
  received = malloc (LARGE);
  CHECK (large != NULL && received != NULL);
  memset (large, 'x', LARGE);
  h = nbd_create ();
  peer.replies = SIMPLE;
  CHECK (nbd_set_strict_mode (h, 0) == 0);
  peer_accept (h, &peer);
  others_go_on ();
  a_large_write_goes_on ();
  events_are_handled_by_it ();
  others_go_on ();
  shutdown_comes_after_it ();
  nbd_close (h);
  free (large);
  free (received);
  return 0;
}
