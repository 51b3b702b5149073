/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server scripted by the program, which decides which bytes it sends and when.
 * The headers peer-*.h add to it.
 */
#ifndef HARNESS_PEER_H
#define HARNESS_PEER_H

#include "commands.h"
#include "messages.h"

/* Returns a socket on which a server has already sent these bytes and sends no
 * more. *server gets its other end, from which the client's output can be read.
 */
static inline int
scripted_server (const void *bytes, size_t count, int *server)
{
  int pair[2];

  CHECK (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  CHECK (write (pair[1], bytes, count) == (ssize_t) count);
  *server = pair[1];
  return pair[0];
}

/* A server for one connection.  Set what differs from zero before connecting. */
struct peer {
  int fd;        /* the server's end */
  bool oldstyle; /* no negotiation, simple replies */
  enum replies replies;
  uint64_t size;  /* of the export; default 1 MiB */
  uint16_t flags; /* default: every feature, writable */
  uint32_t minimum_block, preferred_block, maximum_block;
  int contexts; /* base:allocation has id 1, x:two has id 2 */
};

/* Puts everything that a server sends up to the data phase, answering the
 * client's options in the order in which libnbd(3) lists them.
 */
static inline void
put_handshake (struct bytes *bytes, const struct peer *peer)
{
  const uint64_t size = peer->size ? peer->size : MIB;
  const uint16_t flags = peer->flags ? peer->flags : EVERY_FLAG;
  const uint32_t set = OPT_SET_META_CONTEXT;

  if (peer->oldstyle) {
    put_oldstyle (bytes, size, flags);
    return;
  }
  put (bytes, GREETING_FIXED, GREETING_SIZE);
  if (peer->replies == EXTENDED)
    put_ack (bytes, OPT_EXTENDED_HEADERS);
  if (peer->replies == STRUCTURED)
    put_ack (bytes, OPT_STRUCTURED_REPLY);
  if (peer->contexts && peer->replies != SIMPLE) {
    put_context (bytes, set, 1, LIBNBD_CONTEXT_BASE_ALLOCATION);
    if (peer->contexts > 1)
      put_context (bytes, set, 2, "x:two");
    put_ack (bytes, set);
  }
  put_export (bytes, OPT_GO, size, flags);
  if (peer->minimum_block) {
    put_option_header (bytes, OPT_GO, REP_INFO, 14);
    put16 (bytes, 3);
    put32 (bytes, peer->minimum_block);
    put32 (bytes, peer->preferred_block);
    put32 (bytes, peer->maximum_block);
  }
  put_ack (bytes, OPT_GO);
}

/* Lets a handle ask for what the server has. */
static inline void
peer_prepare (struct nbd_handle *h, const struct peer *peer)
{
  CHECK (h != NULL);
  CHECK (nbd_set_request_extended_headers (h, peer->replies == EXTENDED) == 0);
  CHECK (nbd_set_request_structured_replies (h, peer->replies != SIMPLE) == 0);
  if (peer->contexts > 0)
    CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  if (peer->contexts > 1)
    CHECK (nbd_add_meta_context (h, "x:two") == 0);
}

/* Discards the client's output during the handshake, once it is connected. */
static inline void
peer_is_connected (struct peer *peer)
{
  struct timeval limit = { .tv_sec = 20 };
  char discard[1024];

  CHECK (setsockopt (peer->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)
         == 0);
  while (recv (peer->fd, discard, sizeof discard, MSG_DONTWAIT) > 0)
    ;
}

/* Connects h over a socket that the program passes to the library. */
static inline void
peer_connect (struct nbd_handle *h, struct peer *peer)
{
  struct bytes handshake = { .count = 0 };
  int client;

  peer_prepare (h, peer);
  put_handshake (&handshake, peer);
  client = scripted_server (handshake.data, handshake.count, &peer->fd);
  CHECK (nbd_connect_socket (h, client) == 0);
  peer_is_connected (peer);
}

/* Accepts the connection of h, which is connecting to this listening socket. */
static inline void
peer_accept_on (int listener, struct nbd_handle *h, struct peer *peer)
{
  struct bytes handshake = { .count = 0 };
  ssize_t r;

  put_handshake (&handshake, peer);
  CHECK ((peer->fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC)) >= 0);
  r = send (peer->fd, handshake.data, handshake.count, MSG_NOSIGNAL);
  CHECK (r == (ssize_t) handshake.count);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  peer_is_connected (peer);
}

/* Connects h over a socket that the library makes. */
static inline void
peer_accept (struct nbd_handle *h, struct peer *peer)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  const char *path = socket_path ();
  int listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  peer_prepare (h, peer);
  strcpy (address.sun_path, path);
  CHECK (bind (listener, (struct sockaddr *) &address, sizeof address) == 0);
  CHECK (listen (listener, 1) == 0);
  CHECK (nbd_aio_connect_unix (h, path) == 0);
  peer_accept_on (listener, h, peer);
  CHECK (close (listener) == 0 && unlink (path) == 0);
}

static inline void
peer_read (struct peer *peer, void *data, size_t count)
{
  ssize_t r;

  for (; count > 0; count -= r, data = (char *) data + r)
    CHECK ((r = recv (peer->fd, data, count, 0)) > 0);
}

/* Receives the header of the next option. */
static inline struct option
peer_option (struct peer *peer)
{
  unsigned char header[OPTION_HEADER_SIZE];

  peer_read (peer, header, sizeof header);
  return parse_option (header);
}

/* Receives the next request, and its payload if it has one. */
static inline struct request
peer_request (struct peer *peer, void *payload)
{
  unsigned char header[32];
  struct request r;

  peer_read (peer, header, request_header_size (peer->replies));
  r = parse_request (peer->replies, header);
  if (payload && r.length > 0)
    peer_read (peer, payload, r.length);
  return r;
}

static inline void
peer_write (struct peer *peer, const void *data, size_t count)
{
  ssize_t r;

  for (; count > 0; count -= r, data = (const char *) data + r)
    CHECK ((r = send (peer->fd, data, count, MSG_NOSIGNAL)) > 0);
}

static inline void
peer_bytes (struct peer *peer, const struct bytes *bytes)
{
  peer_write (peer, bytes->data, bytes->count);
}

/* Sends one reply chunk. */
static inline void
peer_chunk (struct peer *peer, const struct request *to, bool done,
            uint16_t type, const struct bytes *payload)
{
  struct bytes header = { .count = 0 };
  size_t length = payload ? payload->count : 0;

  put_chunk_header (&header, peer->replies, to, done, type, length);
  peer_bytes (peer, &header);
  if (length)
    peer_bytes (peer, payload);
}

/* Sends one simple reply; the data of a read follows it. */
static inline void
peer_simple (struct peer *peer, const struct request *to, uint32_t error)
{
  struct bytes header = { .count = 0 };

  put_simple_reply (&header, to, error);
  peer_bytes (peer, &header);
}

/* Reports success of a command other than a read. */
static inline void
peer_success (struct peer *peer, const struct request *to)
{
  if (peer->replies == SIMPLE)
    peer_simple (peer, to, 0);
  else
    peer_chunk (peer, to, true, REPLY_NONE, NULL);
}

static inline void
peer_error (struct peer *peer, const struct request *to, bool done,
            uint32_t error)
{
  struct bytes payload = { .count = 0 };

  put32 (&payload, error);
  put16 (&payload, 0);
  peer_chunk (peer, to, done, REPLY_ERROR, &payload);
}

/* Issues a flush and answers it: the connection works. Returns its cookie. */
static inline uint64_t
peer_flush (struct nbd_handle *h, struct peer *peer)
{
  int64_t cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  struct request request;

  CHECK (cookie > 0);
  request = peer_request (peer, NULL);
  CHECK (request.type == NBD_CMD_FLUSH);
  peer_success (peer, &request);
  CHECK (wait_for (h, cookie) == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  return cookie;
}

/* Sends end of file to the client. */
static inline void
peer_hang_up (struct peer *peer)
{
  CHECK (shutdown (peer->fd, SHUT_WR) == 0);
}

static inline void
peer_close (struct peer *peer)
{
  CHECK (close (peer->fd) == 0);
}

#endif /* HARNESS_PEER_H */
