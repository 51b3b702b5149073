/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A scripted server in the thread of the program, with its output in a buffer:
 * the data that has arrived before a call is then deterministic, so each call is
 * compared.
 */
#ifndef PLAYED_SERVER_H
#define PLAYED_SERVER_H

#include "../harness/peer.h"
#include "memserver.h"

#define PLAYED_SIZE MIB

/* A request without a complete reply. */
struct outstanding {
  struct request request;
  uint64_t
      done; /* bytes of a read, or contexts of a block status, already sent */
  uint32_t contexts[8]; /* the requested contexts */
  size_t context_count;
};

static struct {
  enum replies replies;
  bool faults;
  bool over;            /* no request follows */
  uint32_t contexts[8]; /* the negotiated contexts, by id */
  size_t context_count;
  int fd; /* the server's end, -1 when it is closed */
  struct outstanding requests[512];
  size_t count;
  unsigned char in[4 << 20]; /* received and not yet parsed */
  size_t in_count;
  unsigned char out[8 << 20]; /* to be sent */
  size_t out_count;
} played = { .fd = -1 };

static void
say (const void *data, size_t count)
{
  CHECK (played.out_count + count <= sizeof played.out);
  memcpy (played.out + played.out_count, data, count);
  played.out_count += count;
}

static void
say_bytes (const struct bytes *bytes)
{
  say (bytes->data, bytes->count);
}

/* Connects with everything negotiated that the kind of replies has. */
static void
play_connect (enum replies replies, bool faults)
{
  struct peer peer = {
    .replies = replies, .size = PLAYED_SIZE, .flags = EVERY_FLAG, .contexts = 1
  };
  struct bytes handshake = { .count = 0 };
  int client;

  played.replies = replies;
  played.faults = faults;
  played.contexts[0] = 1;
  played.context_count = 1;
  server_size = PLAYED_SIZE;
  put_handshake (&handshake, &peer);
  client = scripted_server (handshake.data, handshake.count, &played.fd);
  CHECK (NEWER (nbd_set_request_extended_headers) (h, replies == EXTENDED)
         == 0);
  CHECK (nbd_set_request_structured_replies (h, replies != SIMPLE) == 0);
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_connect_socket (h, client) == 0);
  while (recv (played.fd, played.in, sizeof played.in, MSG_DONTWAIT) > 0)
    ;
}

/* Parses a request's range and contexts: all negotiated ones, unless a payload
 * names some.
 */
static void
remember (const struct request *request, const unsigned char *data,
          size_t length)
{
  struct outstanding *new = &played.requests[played.count++];

  CHECK (played.count <= COUNT_OF (played.requests));
  *new = (struct outstanding) { .request = *request };
  if (request->type != NBD_CMD_BLOCK_STATUS)
    return;
  if (length < 8) {
    memcpy (new->contexts, played.contexts, sizeof played.contexts);
    new->context_count = played.context_count;
    return;
  }
  new->request.length = get (data, 8);
  for (data += 8, length -= 8;
       length >= 4 && new->context_count < COUNT_OF (new->contexts);
       data += 4, length -= 4)
    new->contexts[new->context_count++] = (uint32_t) get (data, 4);
}

/* Receives from the client, as far as there is space. */
static void
take_in (void)
{
  ssize_t n;

  while (played.in_count < sizeof played.in
         && (n = recv (played.fd, played.in + played.in_count,
                       sizeof played.in - played.in_count, MSG_DONTWAIT))
                > 0)
    played.in_count += (size_t) n;
}

/* Receives requests, and records those that need a reply. */
static void
take_requests (bool report)
{
  size_t used = 0, size = request_header_size (played.replies);

  if (played.fd == -1)
    return;
  take_in ();
  while (played.in_count - used >= size) {
    const unsigned char *data = played.in + used + size;
    struct request r = parse_request (played.replies, played.in + used);
    bool has_payload = r.type == NBD_CMD_WRITE
                       || (played.replies == EXTENDED
                           && (r.flags & NBD_CMD_FLAG_PAYLOAD_LEN));
    size_t more = has_payload ? r.length : 0;

    if (played.in_count - used < size + more)
      break;
    /* The cookie is opaque to a server. */
    if (report)
      line ("server gets %u, flags 0x%x, offset %" PRIu64 ", length %" PRIu64
            ", %016" PRIx64,
            r.type, r.flags, r.offset, r.length, checksum (data, more));
    used += size + more;
    if (r.type != NBD_CMD_DISC)
      remember (&r, data, r.type == NBD_CMD_WRITE ? 0 : more);
  }
  memmove (played.in, played.in + used, played.in_count - used);
  played.in_count -= used;
}

static void
play_receive (void)
{
  take_requests (true);
}

static void
say_simple (const struct request *to, uint32_t error)
{
  struct bytes header = { .count = 0 };

  put_simple_reply (&header, to, error);
  say_bytes (&header);
}

static void
say_header (const struct request *to, bool done, unsigned type, size_t length)
{
  struct bytes header = { .count = 0 };

  put_chunk_header (&header, played.replies, to, done, (uint16_t) type, length);
  say_bytes (&header);
}

static void
say_chunk (const struct request *to, bool done, unsigned type,
           const struct bytes *payload)
{
  say_header (to, done, type, payload->count);
  say_bytes (payload);
}

/* Appends the content of the disk from that offset on. */
static void
say_disk (uint64_t at, uint64_t length)
{
  for (; length > 0; length--, at++) {
    unsigned char byte = (unsigned char) (at * 7 + at / 512);

    say (&byte, 1);
  }
}

/* Sends this many bytes of the output. */
static void
play_send (size_t count)
{
  ssize_t n;

  if (played.fd == -1 || count == 0)
    return;
  n = send (played.fd, played.out, count, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n <= 0)
    return;
  memmove (played.out, played.out + n, played.out_count - (size_t) n);
  played.out_count -= (size_t) n;
}

static void
play_close (void)
{
  if (played.fd != -1)
    CHECK (close (played.fd) == 0);
  played.fd = -1;
}

#endif /* PLAYED_SERVER_H */
