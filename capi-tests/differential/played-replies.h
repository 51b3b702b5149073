/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a played server replies: a chunk of a reply at a time, so that those of
 * several commands alternate, and now and then one that breaks the protocol.
 */
#ifndef PLAYED_REPLIES_H
#define PLAYED_REPLIES_H

#include "played-server.h"

static const uint32_t reply_errors[] = { 1, 5, 12, 22, 28, 75, 95, 108, 77 };

static void
retire_request (struct outstanding *which)
{
  *which = played.requests[--played.count];
}

static void
swap_with_last (struct outstanding *which)
{
  struct outstanding kept = *which;

  *which = played.requests[played.count - 1];
  played.requests[played.count - 1] = kept;
}

static void
say_error (struct outstanding *to, bool done)
{
  struct bytes payload = { .count = 0 };
  bool with_offset = to->request.type == NBD_CMD_READ && one_in (3);

  put32 (&payload, ONE_OF (reply_errors));
  if (one_in (2))
    put16 (&payload, 0);
  else {
    put16 (&payload, 4);
    put (&payload, "oops", 4);
  }
  if (with_offset)
    put64 (&payload, to->request.offset + below (to->request.length));
  say_chunk (&to->request, done,
             with_offset ? REPLY_ERROR_OFFSET : REPLY_ERROR, &payload);
}

/* The next piece of a read, data or a hole. */
static void
say_piece (struct outstanding *to)
{
  uint64_t at = to->request.offset + to->done;
  uint64_t left = to->request.length - to->done;
  uint64_t length = one_in (2) ? left : 1 + below (left);
  bool done = length == left && one_in (2);
  struct bytes where = { .count = 0 };

  put64 (&where, at);
  if (one_in (4)) {
    put32 (&where, (uint32_t) length);
    say_chunk (&to->request, done, REPLY_OFFSET_HOLE, &where);
  }
  else {
    say_header (to->request.cookie, to->request.offset, done,
                REPLY_OFFSET_DATA, 8 + length);
    say_bytes (&where);
    say_disk (at, length);
  }
  to->done += length;
  if (done)
    retire_request (to);
}

static void
say_extents (struct outstanding *to)
{
  bool wide = played.replies == EXTENDED, done = one_in (2);
  struct bytes payload = { .count = 0 };
  unsigned i, n = 1 + (unsigned) below (4);

  put32 (&payload, 1);
  if (wide)
    put32 (&payload, n);
  for (i = 0; i < n; i++)
    if (wide) {
      put64 (&payload, 512 * (1 + below (8)));
      put64 (&payload, below (4));
    }
    else {
      put32 (&payload, (uint32_t) (512 * (1 + below (8))));
      put32 (&payload, (uint32_t) below (4));
    }
  say_chunk (&to->request, done,
             wide ? REPLY_BLOCK_STATUS_EXT : REPLY_BLOCK_STATUS, &payload);
  to->done = to->request.length;
  if (done)
    retire_request (to);
}

static void
say_simple_reply (struct outstanding *to)
{
  if (one_in (8))
    say_simple (to->request.cookie, ONE_OF (reply_errors));
  else {
    say_simple (to->request.cookie, 0);
    if (to->request.type == NBD_CMD_READ)
      say_disk (to->request.offset, to->request.length);
  }
  retire_request (to);
}

/* The next chunk of a reply, as the protocol wants it. */
static void
say_something (struct outstanding *to)
{
  static const struct bytes nothing = { .count = 0 };

  if (played.replies == SIMPLE)
    say_simple_reply (to);
  else if (one_in (10)) {
    bool done = one_in (2);

    say_error (to, done);
    if (done)
      retire_request (to);
  }
  else if (to->request.type == NBD_CMD_READ
           && to->done < to->request.length)
    say_piece (to);
  else if (to->request.type == NBD_CMD_BLOCK_STATUS && to->done == 0)
    say_extents (to);
  else {
    say_chunk (&to->request, true, REPLY_NONE, &nothing);
    retire_request (to);
  }
}

/* The rest of a reply, without an error. */
static void
say_the_rest (struct outstanding *to)
{
  size_t before = played.count;

  while (played.count == before)
    say_something (to);
}

/* One that breaks the protocol, but not in a way in which the C library takes
 * data for replies (docs/differences.md).
 */
static void
say_something_wrong (struct outstanding *to)
{
  static const unsigned types[] = {
    REPLY_NONE, REPLY_OFFSET_DATA, REPLY_OFFSET_HOLE, REPLY_BLOCK_STATUS,
    REPLY_BLOCK_STATUS_EXT, REPLY_ERROR, REPLY_ERROR_OFFSET, 7, 32768 + 77,
  };
  struct bytes payload = { .count = 0 };
  uint64_t cookie = to->request.cookie;
  size_t i, n;

  switch (below (played.replies == SIMPLE ? 3 : 6)) {
  case 0:
    put64 (&payload, random_u64 ());
    say_bytes (&payload);
    break;
  case 1:
    say_simple (htobe64 (1000), one_in (2) ? 5 : 0);
    break;
  case 2:
    n = one_in (2) ? 5 : 0;
    /* The C library would take what comes next for the data. */
    if (to->request.type == NBD_CMD_READ && played.replies != SIMPLE)
      n = 5;
    say_simple (cookie, n);
    retire_request (to);
    break;
  case 3:
    /* A piece of a read that lies outside of it, or comes again. */
    put64 (&payload, to->request.offset + (one_in (2) ? to->request.length
                                                      : 0));
    put32 (&payload, 512);
    say_chunk (&to->request, false, REPLY_OFFSET_HOLE, &payload);
    break;
  case 4:
    /* It is over before everything was said. */
    say_chunk (&to->request, true, REPLY_NONE, &payload);
    retire_request (to);
    break;
  default:
    /* Any type, and a length that may not be one of it. */
    i = below (COUNT_OF (types));
    for (n = below (6) * 4; n > 0; n--)
      put (&payload, &(unsigned char) { (unsigned char) below (3) }, 1);
    if (one_in (2)) {
      say_chunk (&to->request, true, types[i], &payload);
      retire_request (to);
    }
    else
      say_chunk (&to->request, false, types[i], &payload);
  }
}

#endif /* PLAYED_REPLIES_H */
