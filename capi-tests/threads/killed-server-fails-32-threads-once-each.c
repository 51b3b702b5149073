/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When a server is lost during nbd_pread calls of 32 threads on one handle,
 * each call fails once, in its own thread, and nothing is written to its buffer
 * after it has returned.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/peer.h"

#include <pthread.h>

#define THREADS 32
#define SIZE (256 * KIB)
#define OWN 0xa5

static struct nbd_handle *h;

struct reader {
  pthread_t thread;
  unsigned number;
  int failures;
  unsigned char buf[SIZE];
};

static struct reader readers[THREADS];

/* Reads until a read fails.  Then the buffer belongs to the program, which
 * fills it. */
static void *
read_on (void *arg)
{
  struct reader *reader = arg;
  const char *name = "nbd_pread: ";
  int errnum;

  while (nbd_pread (h, reader->buf, SIZE, reader->number * SIZE, 0) == 0)
    ;
  memset (reader->buf, OWN, SIZE);
  errnum = nbd_get_errno ();
  /* The thread that detects the loss gets the errno of the socket, or 0 at end
   * of file; the others get ENOTCONN; a later read gets EINVAL.
   */
  CHECK (errnum == ENOTCONN || errnum == ECONNRESET || errnum == EPIPE
         || errnum == 0 || errnum == EINVAL);
  CHECK (strncmp (nbd_get_error (), name, strlen (name)) == 0);
  ++reader->failures;
  return NULL;
}

static void
start_reading (void)
{
  for (unsigned i = 0; i < THREADS; ++i) {
    readers[i].number = i;
    readers[i].failures = 0;
    CHECK (pthread_create (&readers[i].thread, NULL, read_on, &readers[i])
           == 0);
  }
}

static void
wait_for_readers (void)
{
  for (int i = 0; i < THREADS; ++i)
    CHECK (pthread_join (readers[i].thread, NULL) == 0);
}

static void
check_readers (void)
{
  for (int i = 0; i < THREADS; ++i) {
    CHECK (readers[i].failures == 1);
    for (size_t j = 0; j < SIZE; ++j)
      CHECK (readers[i].buf[j] == OWN);
  }
  CHECK (nbd_aio_in_flight (h) == 0);
}

/* The server is killed after this many bytes; or it never stops sending. */
static void
kill_after (char *bytes)
{
  uint64_t before;

  h = connected ("--size", "8M", "--no-holes", bytes ? "--stall-after" : NULL,
                 bytes);
  before = nbd_stats_chunks_sent (h);
  start_reading ();
  while (bytes && nbd_stats_chunks_sent (h) < before + THREADS)
    usleep (1000);
  usleep (5000);
  CHECK (nbd_kill_subprocess (h, SIGKILL) == 0);
  wait_for_readers ();
  check_readers ();
  nbd_close (h);
}

/* The server receives no more and still sends: the second read of a thread
 * cannot be sent, while another thread receives.
 */
static void
stop_hearing (void)
{
  static char data[SIZE];
  struct peer peer = { .replies = SIMPLE, .size = THREADS * SIZE };
  struct request requests[THREADS];
  ssize_t r = 1;

  h = nbd_create ();
  peer_connect (h, &peer);
  start_reading ();
  for (int i = 0; i < THREADS; ++i)
    requests[i] = peer_request (&peer, NULL);
  CHECK (shutdown (peer.fd, SHUT_RD) == 0);
  /* The last one first: it is not for the thread that receives. */
  for (int i = THREADS - 1; i >= 0 && r > 0; --i) {
    struct bytes header = { .count = 0 };

    put_simple_reply (&header, &requests[i], 0);
    r = send (peer.fd, header.data, header.count, MSG_NOSIGNAL);
    for (size_t sent = 0; sent < SIZE && r > 0; sent += r)
      r = send (peer.fd, data, SIZE - sent, MSG_NOSIGNAL);
  }
  wait_for_readers ();
  check_readers ();
  peer_close (&peer);
  nbd_close (h);
}

int
main (void)
{
  for (int i = 0; i < 5; ++i)
    kill_after (NULL);
  /* Before a reply, in the header of one, in its data, and after some replies. */
  kill_after ("200");
  kill_after ("1000");
  kill_after ("100000");
  kill_after ("1000000");
  for (int i = 0; i < 20; ++i)
    stop_hearing ();
  return 0;
}
