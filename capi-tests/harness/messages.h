/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The messages of a server, and the headers of a client's messages. */
#ifndef HARNESS_MESSAGES_H
#define HARNESS_MESSAGES_H

#include "harness.h"
#include "protocol.h"

#include <endian.h>

/* The negotiated kind of replies. */
enum replies { SIMPLE, STRUCTURED, EXTENDED };

struct bytes {
  unsigned char data[32 * 1024];
  size_t count;
};

/* ---- messages of a client ---- */

struct option {
  uint32_t number;
  size_t length;
};

#define OPTION_HEADER_SIZE 16

struct request {
  uint16_t flags, type;
  uint64_t cookie; /* opaque to a server, in the byte order of the client */
  uint64_t offset, length;
};

/* Parses a number of that many bytes. */
static inline uint64_t
get (const unsigned char *from, size_t count)
{
  uint64_t value = 0;

  while (count-- > 0)
    value = value << 8 | *from++;
  return value;
}

static inline struct option
parse_option (const unsigned char *header)
{
  CHECK (memcmp (header, "IHAVEOPT", 8) == 0);
  return (struct option) {
    .number = (uint32_t) get (header + 8, 4),
    .length = get (header + 12, 4),
  };
}

static inline size_t
request_header_size (enum replies replies)
{
  return replies == EXTENDED ? 32 : 28;
}

static inline struct request
parse_request (enum replies replies, const unsigned char *header)
{
  bool extended = replies == EXTENDED;
  struct request request = {
    .flags = (uint16_t) get (header + 4, 2),
    .type = (uint16_t) get (header + 6, 2),
    .offset = get (header + 16, 8),
    .length = get (header + 24, extended ? 8 : 4),
  };

  CHECK (get (header, 4)
         == (extended ? EXTENDED_REQUEST_MAGIC : REQUEST_MAGIC));
  memcpy (&request.cookie, header + 8, 8);
  return request;
}

/* ---- messages of a server ---- */

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

/* Puts a whole oldstyle handshake. */
static inline void
put_oldstyle (struct bytes *bytes, uint64_t size, uint16_t flags)
{
  static const char reserved[124];

  put (bytes, "NBDMAGIC", 8);
  put64 (bytes, OLDSTYLE_MAGIC);
  put64 (bytes, size);
  put32 (bytes, flags);
  put (bytes, reserved, sizeof reserved);
}

/* Puts the header of a reply to an option. */
static inline void
put_option_header (struct bytes *bytes, uint32_t option, uint32_t type,
                   uint32_t length)
{
  put64 (bytes, OPTION_REPLY_MAGIC);
  put32 (bytes, option);
  put32 (bytes, type);
  put32 (bytes, length);
}

static inline void
put_option_reply (struct bytes *bytes, uint32_t option, uint32_t type,
                  const void *data, size_t count)
{
  put_option_header (bytes, option, type, count);
  put (bytes, data, count);
}

static inline void
put_ack (struct bytes *bytes, uint32_t option)
{
  put_option_header (bytes, option, REP_ACK, 0);
}

/* Puts NBD_INFO_EXPORT. */
static inline void
put_export (struct bytes *bytes, uint32_t option, uint64_t size, uint16_t flags)
{
  put_option_header (bytes, option, REP_INFO, 12);
  put16 (bytes, 0);
  put64 (bytes, size);
  put16 (bytes, flags);
}

static inline void
put_context (struct bytes *bytes, uint32_t option, uint32_t id,
             const char *name)
{
  put_option_header (bytes, option, REP_META_CONTEXT, 4 + strlen (name));
  put32 (bytes, id);
  put (bytes, name, strlen (name));
}

/* Puts a simple reply; the data of a read follows it. */
static inline void
put_simple_reply (struct bytes *bytes, const struct request *to, uint32_t error)
{
  put32 (bytes, SIMPLE_REPLY_MAGIC);
  put32 (bytes, error);
  put (bytes, &to->cookie, 8);
}

/* Puts the header of a structured or extended reply chunk. */
static inline void
put_chunk_header (struct bytes *bytes, enum replies replies,
                  const struct request *to, bool done, uint16_t type,
                  uint64_t length)
{
  bool extended = replies == EXTENDED;

  put32 (bytes, extended ? EXTENDED_REPLY_MAGIC : STRUCTURED_REPLY_MAGIC);
  put16 (bytes, done);
  put16 (bytes, type);
  put (bytes, &to->cookie, 8);
  if (extended) {
    put64 (bytes, to->offset);
    put64 (bytes, length);
  } else
    put32 (bytes, (uint32_t) length);
}

#endif /* HARNESS_MESSAGES_H */
