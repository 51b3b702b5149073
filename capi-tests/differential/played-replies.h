/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replies of the scripted server: one chunk at a time, so that replies to several
 * commands alternate, with an occasional protocol violation.
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
  bool with_offset = to->request.length > 0 && one_in (3);

  put32 (&payload, ONE_OF (reply_errors));
  if (one_in (2))
    put16 (&payload, 0);
  else {
    put16 (&payload, 4);
    put (&payload, "oops", 4);
  }
  if (with_offset)
    put64 (&payload, to->request.offset + below (to->request.length));
  say_chunk (&to->request, done, with_offset ? REPLY_ERROR_OFFSET : REPLY_ERROR,
             &payload);
}

/* Sends the next piece of a read, data or a hole. */
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
  } else {
    say_header (&to->request, done, REPLY_OFFSET_DATA, 8 + length);
    say_bytes (&where);
    say_disk (at, length);
  }
  to->done += length;
  if (done)
    retire_request (to);
}

/* Sends extents of one context, with lengths that may be invalid. */
static void
put_extents (struct bytes *payload, uint32_t id, bool wide, bool wrong)
{
  static const uint64_t odd[] = { 0, 1, 513, MIB, UINT32_MAX };
  unsigned i, n = 1 + (unsigned) below (4);

  put32 (payload, id);
  if (wide)
    put32 (payload, wrong && one_in (4) ? (uint32_t) below (6) : n);
  for (i = 0; i < n; i++) {
    uint64_t length = wrong && one_in (2) ? ONE_OF (odd)
                                          : 512 * (1 + below (8));
    uint64_t status = below (4);

    if (wide) {
      if (one_in (12))
        length <<= 20;
      if (one_in (12) && !wrong)
        status <<= 32;
      put64 (payload, length);
      put64 (payload, status);
    } else {
      put32 (payload, (uint32_t) length);
      put32 (payload, (uint32_t) status);
    }
  }
}

/* Sends the next context of a block status command. */
static void
say_extents (struct outstanding *to)
{
  bool wide = played.replies == EXTENDED;
  bool done = to->done + 1 >= to->context_count && one_in (2);
  struct bytes payload = { .count = 0 };

  put_extents (&payload, to->contexts[to->done], wide, false);
  say_chunk (&to->request, done,
             wide ? REPLY_BLOCK_STATUS_EXT : REPLY_BLOCK_STATUS, &payload);
  to->done++;
  if (done)
    retire_request (to);
}

static void
say_simple_reply (struct outstanding *to)
{
  if (one_in (8))
    say_simple (&to->request, ONE_OF (reply_errors));
  else {
    say_simple (&to->request, 0);
    if (to->request.type == NBD_CMD_READ)
      say_disk (to->request.offset, to->request.length);
  }
  retire_request (to);
}

/* Sends the next chunk of a correct reply. */
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
  } else if (to->request.type == NBD_CMD_READ && to->done < to->request.length)
    say_piece (to);
  else if (to->request.type == NBD_CMD_BLOCK_STATUS
           && to->done < to->context_count)
    say_extents (to);
  else {
    say_chunk (&to->request, true, REPLY_NONE, &nothing);
    retire_request (to);
  }
}

/* Sends the rest of a reply, without an error. */
static void
say_the_rest (struct outstanding *to)
{
  size_t before = played.count;

  while (played.count == before)
    say_something (to);
}

/* Sends invalid extents, or extents of a context that was not negotiated. */
static void
say_wrong_extents (struct outstanding *to)
{
  bool wide = played.replies == EXTENDED, done = one_in (2);
  uint32_t id = to->context_count > 0 && !one_in (5) ? to->contexts[0] : 77;
  struct bytes payload = { .count = 0 };

  put_extents (&payload, id, wide, true);
  say_chunk (&to->request, done,
             wide ? REPLY_BLOCK_STATUS_EXT : REPLY_BLOCK_STATUS, &payload);
  if (done)
    retire_request (to);
}

/* Sends an error chunk with inconsistent fields. */
static void
say_wrong_error (struct outstanding *to)
{
  static const uint16_t lengths[] = { 0, 3, 4, 5, 100, UINT16_MAX };
  static const unsigned types[] = {
    REPLY_ERROR,
    REPLY_ERROR_OFFSET,
    REPLY_ERROR_OFFSET,
    32768 + 77,
  };
  const uint64_t offsets[] = {
    to->request.offset - 1,
    to->request.offset + to->request.length,
    to->request.offset,
    UINT64_MAX,
    0,
  };
  struct bytes payload = { .count = 0 };
  bool done = one_in (2);

  put32 (&payload, one_in (4) ? 0 : ONE_OF (reply_errors));
  put16 (&payload, ONE_OF (lengths));
  put (&payload, "oops", 4);
  put64 (&payload, ONE_OF (offsets));
  if (one_in (3))
    payload.count = below (payload.count + 1);
  say_chunk (&to->request, done, ONE_OF (types), &payload);
  if (done)
    retire_request (to);
}

/* While only reads are in flight, the library under test receives exactly the
 * header of a chunk.  A simple reply is shorter, so the handle then holds bytes
 * after it, and nbd_aio_get_direction reports work to do.
 */
static bool
may_say_simple (void)
{
  size_t i;

  for (i = 0; i < played.count; i++)
    if (played.requests[i].request.type != NBD_CMD_READ)
      return true;
  return played.replies != STRUCTURED;
}

/* Sends a reply that violates the protocol, except in ways that make the C
 * library take data for replies (docs/differences.md).
 */
static void
say_something_wrong (struct outstanding *to)
{
  static const unsigned types[] = {
    REPLY_NONE,
    REPLY_OFFSET_DATA,
    REPLY_OFFSET_HOLE,
    REPLY_BLOCK_STATUS,
    REPLY_BLOCK_STATUS_EXT,
    REPLY_ERROR,
    REPLY_ERROR_OFFSET,
    7,
    32768 + 77,
  };
  struct bytes payload = { .count = 0 };
  struct request unknown = { .cookie = htobe64 (1000) };
  size_t i, n;

  switch (below (played.replies == SIMPLE ? 3 : 8)) {
  case 0:
    put64 (&payload, random_u64 ());
    say_bytes (&payload);
    break;
  case 1:
    if (!may_say_simple ())
      break;
    say_simple (&unknown, one_in (2) ? 5 : 0);
    break;
  case 2:
    if (!may_say_simple ())
      break;
    n = one_in (2) ? 5 : 0;
    /* The C library would take the next bytes for the data. */
    if (to->request.type == NBD_CMD_READ && played.replies != SIMPLE)
      n = 5;
    say_simple (&to->request, n);
    retire_request (to);
    break;
  case 3:
    /* A piece of a read that is out of bounds, or a duplicate. */
    put64 (&payload,
           to->request.offset + (one_in (2) ? to->request.length : 0));
    put32 (&payload, 512);
    say_chunk (&to->request, false, REPLY_OFFSET_HOLE, &payload);
    break;
  case 4:
    /* The reply ends before everything was sent. */
    say_chunk (&to->request, true, REPLY_NONE, &payload);
    retire_request (to);
    break;
  case 5:
    say_wrong_error (to);
    break;
  case 6:
    if (to->request.type == NBD_CMD_BLOCK_STATUS) {
      say_wrong_extents (to);
      break;
    }
    /* fall through */
  default:
    /* Any type, with a length that may be invalid for it. */
    i = below (COUNT_OF (types));
    for (n = below (6) * 4; n > 0; n--)
      put (&payload, &(unsigned char) { (unsigned char) below (3) }, 1);
    if (one_in (2)) {
      say_chunk (&to->request, true, types[i], &payload);
      retire_request (to);
    } else
      say_chunk (&to->request, false, types[i], &payload);
  }
}

#endif /* PLAYED_REPLIES_H */
