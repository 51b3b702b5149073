/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where one thread issues commands and another one waits, a call that waits
 * completes one command and returns, although more replies have arrived: the
 * thread that issues may not have taken note of its last command yet.
 * Programs depend on it that wait only as long as they know of commands.
 */
#include "harness-commands.h"

#include <pthread.h>

#define COMMANDS 6
#define SIZE 4096

static struct nbd_handle *h;
static char data[COMMANDS][SIZE];
static int completed;

static int
completion (void *user_data, int *error)
{
  (void) user_data;
  CHECK (*error == 0);
  ++completed;
  return 1;
}

static void *
issue (void *arg)
{
  nbd_completion_callback callback = { .callback = completion };

  (void) arg;
  for (int i = 0; i < COMMANDS; ++i) {
    int64_t cookie = i % 2
      ? nbd_aio_flush (h, callback, 0)
      : nbd_aio_pread (h, data[i], SIZE, i * SIZE, callback, 0);

    CHECK (cookie > 0);
  }
  return NULL;
}

/* Answer a read with its data, in two chunks where there are chunks. */
static void
answer_read (struct peer *peer, const struct request *request)
{
  char byte = 'a' + request->offset / SIZE, bytes[SIZE];

  memset (bytes, byte, SIZE);
  if (peer->replies == SIMPLE) {
    peer_simple (peer, request, 0);
    peer_write (peer, bytes, SIZE);
    return;
  }
  for (int half = 0; half < 2; ++half) {
    struct bytes chunk = { .count = 0 };

    put64 (&chunk, request->offset + half * SIZE / 2);
    put (&chunk, bytes, SIZE / 2);
    peer_chunk (peer, request, half == 1, REPLY_OFFSET_DATA, &chunk);
  }
}

static void
check (enum replies replies, bool notify)
{
  struct peer peer = { .replies = replies };
  struct request request;
  pthread_t thread;

  h = nbd_create ();
  peer_connect (h, &peer);
  completed = 0;
  CHECK (pthread_create (&thread, NULL, issue, NULL) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  for (int i = 0; i < COMMANDS; ++i) {
    request = peer_request (&peer, NULL);
    if (request.type == NBD_CMD_READ)
      answer_read (&peer, &request);
    else
      peer_success (&peer, &request);
  }
  for (int i = 1; i <= COMMANDS; ++i) {
    struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

    CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
    if (notify)
      CHECK (nbd_aio_notify_read (h) == 0);
    else
      CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
    CHECK (completed == i);
  }
  for (int i = 0; i < COMMANDS; i += 2)
    for (int j = 0; j < SIZE; ++j)
      CHECK (data[i][j] == 'a' + i);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  for (enum replies replies = SIMPLE; replies <= EXTENDED; ++replies) {
    check (replies, false);
    check (replies, true);
  }
  return 0;
}
