/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A meta context query larger than any socket buffer is sent to a server that
 * reads on only after the client has read its answers: the client receives
 * replies while it sends the option, so both sides make progress.
 * Source: proto.md, "NBD_OPT_LIST_META_CONTEXT"; libnbd(3) on
 * nbd_aio_get_direction.
 */
#include "../harness/commands.h"

#include <pthread.h>

#define QUERIES 1000
#define QUERY 4000
/* Replies of the server, as many as it reads queries. */
#define REPLY (20 + 4 + QUERY)

static char query[QUERY + 1];
static int contexts;

static int
on_context (void *user_data, const char *name)
{
  (void) user_data;
  CHECK (strcmp (name, query) == 0);
  ++contexts;
  return 0;
}

static void
receive (int fd, void *data, size_t count)
{
  for (ssize_t r; count > 0; count -= r, data = (char *) data + r)
    CHECK ((r = recv (fd, data, count, 0)) > 0);
}

static void
say (int fd, const struct bytes *bytes)
{
  CHECK (send (fd, bytes->data, bytes->count, MSG_NOSIGNAL)
         == (ssize_t) bytes->count);
}

/* Reads the option's header and returns the length of its data. */
static uint32_t
receive_option (int fd, uint32_t expected)
{
  unsigned char header[16];
  uint32_t option, length;

  receive (fd, header, sizeof header);
  memcpy (&option, header + 8, 4);
  memcpy (&length, header + 12, 4);
  CHECK (be32toh (option) == expected);
  return be32toh (length);
}

static void
answer (int fd, uint32_t option)
{
  struct bytes bytes = { .count = 0 };

  put_option_reply (&bytes, option, 1, 0);
  say (fd, &bytes);
}

/* Agrees to structured replies, and then answers each query before it reads the
 * next one, with blocking calls.
 */
static void *
serve (void *arg)
{
  int fd = *(int *) arg;
  struct bytes bytes = { .count = 0 };
  static char data[QUERY + 4];
  uint32_t length;

  put (&bytes, "NBDMAGICIHAVEOPT", 16);
  put16 (&bytes, 3);
  say (fd, &bytes);
  receive (fd, data, 4);
  CHECK (receive_option (fd, 8) == 0);
  answer (fd, 8);
  for (uint32_t option = 9; option <= 10; ++option) {
    length = receive_option (fd, option);
    CHECK (length == 8 + QUERIES * (4 + QUERY));
    /* Send more than the sockets hold before reading any query. */
    for (int i = 0; i < QUERIES; ++i) {
      bytes.count = 0;
      put_option_reply (&bytes, option, 4, 4 + QUERY);
      put32 (&bytes, i);
      say (fd, &bytes);
      for (size_t left = QUERY; left > 0; left -= bytes.count) {
        bytes.count = left < sizeof bytes.data ? left : sizeof bytes.data;
        memset (bytes.data, 'q', bytes.count);
        say (fd, &bytes);
      }
    }
    receive (fd, data, 8);
    for (int i = 0; i < QUERIES; ++i)
      receive (fd, data, 4 + QUERY);
    answer (fd, option);
  }
  return NULL;
}

int
main (void)
{
  struct nbd_handle *h = in_opt_mode (nbd_create ());
  struct timeval limit = { .tv_sec = 20 };
  static char *queries[QUERIES + 1];
  int server, client = scripted_server ("", 0, &server);
  pthread_t thread;

  memset (query, 'q', QUERY);
  for (int i = 0; i < QUERIES; ++i)
    queries[i] = query;
  CHECK (setsockopt (server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)
         == 0);
  CHECK (setsockopt (server, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit)
         == 0);
  CHECK (nbd_set_request_extended_headers (h, false) == 0);
  CHECK (pthread_create (&thread, NULL, serve, &server) == 0);
  CHECK (nbd_connect_socket (h, client) == 0);
  CHECK (nbd_opt_list_meta_context_queries (
             h, queries, (nbd_context_callback) { .callback = on_context })
         == QUERIES);
  CHECK (contexts == QUERIES);
  contexts = 0;
  CHECK (nbd_opt_set_meta_context_queries (
             h, queries, (nbd_context_callback) { .callback = on_context })
         == QUERIES);
  CHECK (contexts == QUERIES);
  CHECK (pthread_join (thread, NULL) == 0);
  nbd_close (h);
  CHECK (close (server) == 0);
  return 0;
}
