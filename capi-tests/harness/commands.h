/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Support for programs about data commands: a server played by the program,
 * byte by byte, and closures that keep a record.
 */
#ifndef HARNESS_COMMANDS_H
#define HARNESS_COMMANDS_H

#include "harness.h"

#include <endian.h>
#include <poll.h>
#include <stddef.h>

#define ITEMS(array) (sizeof (array) / sizeof (array)[0])

#define KIB UINT64_C (1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* Time limit for an event that must happen, in milliseconds. */
#define LONG_ENOUGH 20000

/* Checks that the error message is exactly this. */
#define CHECK_EXACT_MESSAGE(text) \
  check_text (__FILE__, __LINE__, nbd_get_error (), (text), true)

/* ---- waiting ---- */

/* Waits until nbd_aio_command_completed returns a result. */
static inline int
wait_for (struct nbd_handle *h, int64_t cookie)
{
  int r;

  CHECK (cookie > 0);
  while ((r = nbd_aio_command_completed (h, cookie)) == 0)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  return r;
}

/* Waits until every command has been answered. */
static inline void
wait_for_all (struct nbd_handle *h)
{
  while (nbd_aio_in_flight (h) > 0)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
}

/* Lets the library handle everything that has arrived: one call may handle only
 * a part of it.
 */
static inline void
handle_arrivals (struct nbd_handle *h)
{
  while (nbd_poll (h, 0) == 1)
    ;
}

/* ---- closures that keep a record ---- */

/* A record of the calls of closures and free functions, a letter each, in
 * order. */
struct record {
  char letters[64];
  int error;     /* *error at the last completion */
  int result;    /* result of completion callbacks */
  int set_error; /* assigned to *error when not 0 */
};

static inline void
record_letter (struct record *record, char letter)
{
  size_t n = strlen (record->letters);

  CHECK (n + 1 < sizeof record->letters);
  record->letters[n] = letter;
}

static inline int
record_completion (void *user_data, int *error)
{
  struct record *record = user_data;

  record_letter (record, 'C');
  record->error = *error;
  if (record->set_error)
    *error = record->set_error;
  return record->result;
}

static inline void
record_completion_free (void *user_data)
{
  record_letter (user_data, 'c');
}

static inline int
record_chunk (void *user_data, const void *subbuf, size_t count,
              uint64_t offset, unsigned status, int *error)
{
  (void) subbuf, (void) count, (void) offset, (void) status, (void) error;
  record_letter (user_data, 'M');
  return 0;
}

static inline int
record_extent (void *user_data, const char *metacontext, uint64_t offset,
               uint32_t *entries, size_t nr_entries, int *error)
{
  (void) metacontext, (void) offset, (void) entries, (void) nr_entries;
  (void) error;
  record_letter (user_data, 'M');
  return 0;
}

static inline int
record_extent64 (void *user_data, const char *metacontext, uint64_t offset,
                 nbd_extent *entries, size_t nr_entries, int *error)
{
  (void) metacontext, (void) offset, (void) entries, (void) nr_entries;
  (void) error;
  record_letter (user_data, 'M');
  return 0;
}

static inline void
record_middle_free (void *user_data)
{
  record_letter (user_data, 'm');
}

/* Callbacks of options whose replies do not matter. */
static inline int
no_list (void *user_data, const char *name, const char *description)
{
  (void) user_data;
  (void) name;
  (void) description;
  return 0;
}

static inline int
no_context (void *user_data, const char *name)
{
  (void) user_data;
  (void) name;
  return 0;
}

/* 'C' on completion, 'c' when freed; 'M' and 'm' for the intermediate callback
 * of a command.
 */
#define COMPLETION(record) \
  ((nbd_completion_callback) { .callback = record_completion, \
                               .user_data = (record), \
                               .free = record_completion_free })
#define CHUNK(record) \
  ((nbd_chunk_callback) { .callback = record_chunk, \
                          .user_data = (record), \
                          .free = record_middle_free })
#define EXTENT(record) \
  ((nbd_extent_callback) { .callback = record_extent, \
                           .user_data = (record), \
                           .free = record_middle_free })
#define EXTENT64(record) \
  ((nbd_extent64_callback) { .callback = record_extent64, \
                             .user_data = (record), \
                             .free = record_middle_free })

#define CHECK_RECORD(record, expected) \
  check_text (__FILE__, __LINE__, (record).letters, (expected), true)

/* ---- a server played by the program ---- */

/* Protocol values (NBD protocol document, "Values"). */
enum {
  NBD_CMD_READ,
  NBD_CMD_WRITE,
  NBD_CMD_DISC,
  NBD_CMD_FLUSH,
  NBD_CMD_TRIM,
  NBD_CMD_CACHE,
  NBD_CMD_WRITE_ZEROES,
  NBD_CMD_BLOCK_STATUS
};
enum {
  NBD_FLAG_HAS_FLAGS = 1,
  NBD_FLAG_READ_ONLY = 2,
  NBD_FLAG_SEND_FLUSH = 4,
  NBD_FLAG_SEND_FUA = 8,
  NBD_FLAG_SEND_TRIM = 32,
  NBD_FLAG_SEND_WRITE_ZEROES = 64,
  NBD_FLAG_SEND_DF = 128,
  NBD_FLAG_SEND_CACHE = 1024,
  NBD_FLAG_SEND_FAST_ZERO = 2048,
  NBD_FLAG_BLOCK_STATUS_PAYLOAD = 4096
};
#define EVERY_FLAG (0x1fff & ~NBD_FLAG_READ_ONLY)
enum {
  REPLY_NONE = 0,
  REPLY_OFFSET_DATA = 1,
  REPLY_OFFSET_HOLE = 2,
  REPLY_BLOCK_STATUS = 5,
  REPLY_BLOCK_STATUS_EXT = 6,
  REPLY_ERROR = 32769,
  REPLY_ERROR_OFFSET = 32770
};

enum replies { SIMPLE, STRUCTURED, EXTENDED };

struct peer {
  int fd; /* the server's end */
  enum replies replies;
  uint64_t size;  /* of the export; default 1 MiB */
  uint16_t flags; /* default: every feature, writable */
  uint32_t minimum_block, preferred_block, maximum_block;
  int contexts; /* base:allocation has id 1, x:two has id 2 */
};

struct request {
  uint16_t flags, type;
  uint64_t cookie, offset, length;
};

struct bytes {
  unsigned char data[32 * 1024];
  size_t count;
};

static inline void
put (struct bytes *bytes, const void *data, size_t count)
{
  CHECK (bytes->count + count <= sizeof bytes->data);
  memcpy (bytes->data + bytes->count, data, count);
  bytes->count += count;
}

static inline void
put16 (struct bytes *bytes, uint16_t value)
{
  value = htobe16 (value);
  put (bytes, &value, sizeof value);
}

static inline void
put32 (struct bytes *bytes, uint32_t value)
{
  value = htobe32 (value);
  put (bytes, &value, sizeof value);
}

static inline void
put64 (struct bytes *bytes, uint64_t value)
{
  value = htobe64 (value);
  put (bytes, &value, sizeof value);
}

static inline void
put_option_reply (struct bytes *bytes, uint32_t option, uint32_t type,
                  uint32_t length)
{
  put64 (bytes, UINT64_C (0x3e889045565a9));
  put32 (bytes, option);
  put32 (bytes, type);
  put32 (bytes, length);
}

static inline void
put_context (struct bytes *bytes, uint32_t id, const char *name)
{
  put_option_reply (bytes, 10, 4, 4 + strlen (name));
  put32 (bytes, id);
  put (bytes, name, strlen (name));
}

/* Sends everything that a newstyle server sends up to the data phase, answering
 * the client's options in the order in which libnbd(3) lists them.
 */
static inline void
put_handshake (struct bytes *bytes, const struct peer *peer)
{
  put (bytes, "NBDMAGICIHAVEOPT", 16);
  put16 (bytes, 3);
  if (peer->replies != SIMPLE) {
    if (peer->replies == EXTENDED)
      put_option_reply (bytes, 11, 1, 0);
    else
      put_option_reply (bytes, 8, 1, 0);
  }
  if (peer->contexts && peer->replies != SIMPLE) {
    put_context (bytes, 1, LIBNBD_CONTEXT_BASE_ALLOCATION);
    if (peer->contexts > 1)
      put_context (bytes, 2, "x:two");
    put_option_reply (bytes, 10, 1, 0);
  }
  put_option_reply (bytes, 7, 3, 12);
  put16 (bytes, 0);
  put64 (bytes, peer->size);
  put16 (bytes, peer->flags);
  if (peer->minimum_block) {
    put_option_reply (bytes, 7, 3, 14);
    put16 (bytes, 3);
    put32 (bytes, peer->minimum_block);
    put32 (bytes, peer->preferred_block);
    put32 (bytes, peer->maximum_block);
  }
  put_option_reply (bytes, 7, 1, 0);
}

static inline void
peer_prepare (struct nbd_handle *h, struct peer *peer, struct bytes *handshake)
{
  CHECK (h != NULL);
  if (peer->size == 0)
    peer->size = MIB;
  if (peer->flags == 0)
    peer->flags = EVERY_FLAG;
  CHECK (nbd_set_request_extended_headers (h, peer->replies == EXTENDED) == 0);
  CHECK (nbd_set_request_structured_replies (h, peer->replies != SIMPLE) == 0);
  if (peer->contexts > 0)
    CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  if (peer->contexts > 1)
    CHECK (nbd_add_meta_context (h, "x:two") == 0);
  put_handshake (handshake, peer);
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

/* Connects h to a server played by the program, over a socket that the program
 * passes to the library.
 */
static inline void
peer_connect (struct nbd_handle *h, struct peer *peer)
{
  struct bytes handshake = { .count = 0 };
  int client;

  peer_prepare (h, peer, &handshake);
  client = scripted_server (handshake.data, handshake.count, &peer->fd);
  CHECK (nbd_connect_socket (h, client) == 0);
  peer_is_connected (peer);
}

/* Connects h over a socket that the library makes. */
static inline void
peer_accept (struct nbd_handle *h, struct peer *peer)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct bytes handshake = { .count = 0 };
  const char *path = socket_path ();
  int listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ssize_t r;

  peer_prepare (h, peer, &handshake);
  strcpy (address.sun_path, path);
  CHECK (bind (listener, (struct sockaddr *) &address, sizeof address) == 0);
  CHECK (listen (listener, 1) == 0);
  CHECK (nbd_aio_connect_unix (h, path) == 0);
  CHECK ((peer->fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC)) >= 0);
  CHECK (close (listener) == 0 && unlink (path) == 0);
  r = send (peer->fd, handshake.data, handshake.count, MSG_NOSIGNAL);
  CHECK (r == (ssize_t) handshake.count);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  peer_is_connected (peer);
}

static inline void
peer_read (struct peer *peer, void *data, size_t count)
{
  ssize_t r;

  for (; count > 0; count -= r, data = (char *) data + r)
    CHECK ((r = recv (peer->fd, data, count, 0)) > 0);
}

/* Receives the next request, and its payload if it has one. */
static inline struct request
peer_request (struct peer *peer, void *payload)
{
  struct request r;
  uint32_t magic, length32;

  peer_read (peer, &magic, 4);
  CHECK (be32toh (magic)
         == (peer->replies == EXTENDED ? 0x21e41c71 : 0x25609513));
  peer_read (peer, &r.flags, 2);
  peer_read (peer, &r.type, 2);
  peer_read (peer, &r.cookie, 8);
  peer_read (peer, &r.offset, 8);
  if (peer->replies == EXTENDED)
    peer_read (peer, &r.length, 8);
  else {
    peer_read (peer, &length32, 4);
    r.length = htobe64 ((uint64_t) be32toh (length32));
  }
  r.flags = be16toh (r.flags);
  r.type = be16toh (r.type);
  /* The cookie is opaque and is returned unchanged. */
  r.offset = be64toh (r.offset);
  r.length = be64toh (r.length);
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

/* Sends one reply chunk; a simple reply only has a header. */
static inline void
peer_chunk (struct peer *peer, const struct request *to, bool done,
            uint16_t type, const struct bytes *payload)
{
  struct bytes header = { .count = 0 };
  size_t length = payload ? payload->count : 0;

  put32 (&header, peer->replies == EXTENDED ? 0x6e8a278c : 0x668e33ef);
  put16 (&header, done);
  put16 (&header, type);
  put (&header, &to->cookie, 8);
  if (peer->replies == EXTENDED) {
    put64 (&header, to->offset);
    put64 (&header, length);
  } else
    put32 (&header, length);
  peer_bytes (peer, &header);
  if (length)
    peer_bytes (peer, payload);
}

static inline void
peer_simple (struct peer *peer, const struct request *to, uint32_t error)
{
  struct bytes header = { .count = 0 };

  put32 (&header, 0x67446698);
  put32 (&header, error);
  put (&header, &to->cookie, 8);
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

#endif /* HARNESS_COMMANDS_H */
