/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A meta context query larger than any socket buffer is sent to a server that
 * reads on only after the client has read its answers: the client receives
 * replies while it sends the option, so both sides make progress.
 * Source: proto.md, "NBD_OPT_LIST_META_CONTEXT"; libnbd(3) on
 * nbd_aio_get_direction.
 */
#include "../harness/peer.h"

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

/* Receives the header of an option with that much data. */
static void
receive_option (struct peer *peer, uint32_t number, size_t length)
{
  struct option option = peer_option (peer);

  CHECK (option.number == number && option.length == length);
}

static void
answer (struct peer *peer, uint32_t option)
{
  struct bytes bytes = { .count = 0 };

  put_ack (&bytes, option);
  peer_bytes (peer, &bytes);
}

/* Agrees to structured replies, and then answers each query before it reads the
 * next one, with blocking calls.
 */
static void *
serve (void *arg)
{
  struct peer *peer = arg;
  struct bytes bytes = { .count = 0 };
  static char data[QUERY + 4];

  peer_write (peer, GREETING_FIXED, GREETING_SIZE);
  peer_read (peer, data, 4);
  receive_option (peer, OPT_STRUCTURED_REPLY, 0);
  answer (peer, OPT_STRUCTURED_REPLY);
  for (uint32_t option = OPT_LIST_META_CONTEXT; option <= OPT_SET_META_CONTEXT;
       ++option) {
    receive_option (peer, option, 8 + QUERIES * (4 + QUERY));
    /* Send more than the sockets hold before reading any query. */
    for (int i = 0; i < QUERIES; ++i) {
      bytes.count = 0;
      put_option_header (&bytes, option, REP_META_CONTEXT, 4 + QUERY);
      put32 (&bytes, i);
      peer_bytes (peer, &bytes);
      for (size_t left = QUERY; left > 0; left -= bytes.count) {
        bytes.count = left < sizeof bytes.data ? left : sizeof bytes.data;
        memset (bytes.data, 'q', bytes.count);
        peer_bytes (peer, &bytes);
      }
    }
    peer_read (peer, data, 8);
    for (int i = 0; i < QUERIES; ++i)
      peer_read (peer, data, 4 + QUERY);
    answer (peer, option);
  }
  return NULL;
}

int
main (void)
{
  struct nbd_handle *h = in_opt_mode (nbd_create ());
  struct timeval limit = { .tv_sec = 20 };
  static char *queries[QUERIES + 1];
  struct peer peer;
  int client = scripted_server ("", 0, &peer.fd);
  pthread_t thread;

  memset (query, 'q', QUERY);
  for (int i = 0; i < QUERIES; ++i)
    queries[i] = query;
  CHECK (setsockopt (peer.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)
         == 0);
  CHECK (setsockopt (peer.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit)
         == 0);
  CHECK (nbd_set_request_extended_headers (h, false) == 0);
  CHECK (pthread_create (&thread, NULL, serve, &peer) == 0);
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
  peer_close (&peer);
  return 0;
}
