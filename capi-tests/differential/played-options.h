/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Option replies of the scripted server: random contexts, sizes, block sizes and
 * errors, with an occasional protocol violation.
 */
#ifndef PLAYED_OPTIONS_H
#define PLAYED_OPTIONS_H

#include "played-server.h"

/* The negotiated features, and the best kind of replies that the server
 * supports. */
static struct {
  bool open;       /* options, not commands */
  bool flags_came; /* the client flags have arrived */
  bool no_zeroes;
  enum replies most;
} negotiation;

/* True for one fault in this many chances. */
static bool
breaks_a_rule (uint64_t n)
{
  return played.faults && one_in (3 * n);
}

static void
say_option_reply (uint32_t option, uint32_t type, const struct bytes *data)
{
  struct bytes header = { .count = 0 };
  bool wrong = breaks_a_rule (60);

  put64 (&header, OPTION_REPLY_MAGIC + (wrong && one_in (3)));
  put32 (&header, option + (wrong && one_in (2)));
  put32 (&header, type);
  put32 (&header, (uint32_t) data->count);
  say_bytes (&header);
  say_bytes (data);
}

/* Sends an error, with or without a text. */
static void
say_refusal (uint32_t option)
{
  static const uint32_t errors[] = { 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 77 };
  uint32_t error = ONE_OF (errors);
  struct bytes text = { .count = 0 };

  /* The client's next option after a refused NBD_OPT_GO is a known difference.
   */
  if (option == OPT_GO && error == 1)
    error = 6;
  if (one_in (2))
    put (&text, "not here", 8);
  say_option_reply (option, REP_ERR (error), &text);
}

static void
say_ack (uint32_t option)
{
  struct bytes data = { .count = 0 };

  if (breaks_a_rule (30))
    put (&data, "data", 4);
  say_option_reply (option, REP_ACK, &data);
}

/* Sends a reply that is invalid here. */
static void
say_odd_reply (uint32_t option)
{
  static const uint32_t types[] = { REP_INFO, REP_META_CONTEXT, 5, 77 };
  struct bytes data = { .count = 0 };
  uint64_t i, n = one_in (8) ? below (8190) : below (24);

  for (i = 0; i < n; i++)
    put (&data, one_in (2) ? "" : "a", 1);
  say_option_reply (option, ONE_OF (types), &data);
}

static void
say_export (uint32_t option)
{
  static const uint64_t sizes[] = {
    MIB, MIB, MIB, 65536, 1000001, 0, UINT64_C (1) << 40, UINT64_C (1) << 63,
  };
  uint16_t flags = one_in (3) ? (uint16_t) (below (0x2000) | 1) : EVERY_FLAG;
  struct bytes data = { .count = 0 };

  if (breaks_a_rule (20))
    flags = 0;
  put16 (&data, 0);
  put64 (&data, ONE_OF (sizes));
  put16 (&data, flags);
  if (breaks_a_rule (20))
    data.count -= 1 + below (11);
  else if (breaks_a_rule (20))
    put16 (&data, 0);
  say_option_reply (option, REP_INFO, &data);
}

static void
say_block_sizes (uint32_t option)
{
  /* clang-format off */
  static const uint32_t sizes[][3] = {
    { 1, 4096, 33554432 }, { 512, 4096, 1048576 }, { 512, 4096, UINT32_MAX },
    { 4096, 65536, UINT32_MAX }, { 1, 512, 65536 }, { 65536, 65536, 65536 },
    { 1, 1, UINT32_MAX }, { 512, 512, 512 }, { 1, 4096, 1048577 },
    { 512, 4096, 1048577 }, { 512, 4096, 4095 }, { 512, 3000, 65536 },
    { 512, 256, 65536 }, { 3, 4096, 65536 }, { 0, 4096, 65536 },
    { 131072, 131072, 1048576 }, { 512, 4096, 0 }, { 1, 4096, 100 },
    { 4096, 4096, 67108864 }, { 512, UINT32_MAX, UINT32_MAX }, { 0, 0, 0 },
  };
  /* clang-format on */
  const uint32_t *three = one_in (3) ? ONE_OF (sizes) : sizes[below (6)];
  struct bytes data = { .count = 0 };
  size_t i;

  put16 (&data, 3);
  for (i = 0; i < 3; i++)
    put32 (&data, three[i]);
  if (breaks_a_rule (15))
    data.count -= 1 + below (12);
  say_option_reply (option, REP_INFO, &data);
}

/* Sends a name, a description, or an unknown kind of information. */
static void
say_text_info (uint32_t option)
{
  struct bytes data = { .count = 0 };
  uint64_t i, n = one_in (6) ? below (4200) : below (12);
  uint16_t type = (uint16_t) (1 + below (2));

  if (one_in (3)) {
    type = one_in (2) ? 4 : 77;
    /* The C library skips more than 8 KiB in several calls. */
    if (one_in (3))
      n = below (8190);
  } else if (!played.faults && n > 4096)
    n = 4096;
  put16 (&data, type);
  for (i = 0; i < n; i++)
    put (&data, "t", 1);
  if (breaks_a_rule (30))
    data.count = 1;
  say_option_reply (option, REP_INFO, &data);
}

static void
answer_info (uint32_t option)
{
  uint64_t n = below (4);
  bool refused = one_in (6), no_export = one_in (refused ? 2 : 15);

  while (n-- > 0)
    if (one_in (2))
      say_block_sizes (option);
    else
      say_text_info (option);
  if (!no_export)
    say_export (option);
  if (one_in (4))
    say_block_sizes (option);
  if (breaks_a_rule (20))
    say_odd_reply (option);
  if (refused)
    say_refusal (option);
  else {
    say_ack (option);
    negotiation.open = option != OPT_GO;
  }
}

static void
say_context (uint32_t option, uint32_t id, const void *name, size_t length)
{
  struct bytes data = { .count = 0 };

  put32 (&data, id);
  put (&data, name, length);
  if (breaks_a_rule (20))
    data.count = below (4);
  say_option_reply (option, REP_META_CONTEXT, &data);
}

/* Sends some of the requested contexts, and sometimes one that was not
 * requested. */
static void
answer_contexts (const struct option *option, const unsigned char *data)
{
  bool set = option->number == OPT_SET_META_CONTEXT;
  size_t at = 8 + get (data, 4);
  uint32_t id = 1 + (uint32_t) below (3);

  if (set)
    played.context_count = 0;
  while (at + 4 <= option->length) {
    size_t length = get (data + at, 4);

    if (!one_in (6) && played.context_count < COUNT_OF (played.contexts)) {
      say_context (option->number, id, data + at + 4, length);
      if (set)
        played.contexts[played.context_count++] = id;
      if (!played.faults || !one_in (6))
        id += 1 + (uint32_t) below (2);
    }
    at += 4 + length;
  }
  if (!set || one_in (10))
    for (uint64_t n = below (3); n > 0; n--)
      say_context (option->number, id++, "y:more", 6);
  if (breaks_a_rule (20))
    say_odd_reply (option->number);
  if (one_in (8)) {
    say_refusal (option->number);
    if (set)
      played.context_count = 0;
  } else
    say_ack (option->number);
}

/* Sends a name and a description.  A truncated one crashes the C library
 * (docs/differences.md).
 */
static void
answer_list (void)
{
  uint64_t n;

  for (n = below (4); n > 0; n--) {
    struct bytes data = { .count = 0 };

    put32 (&data, 4);
    put (&data, "name", 4);
    if (one_in (2))
      put (&data, "description", 11);
    say_option_reply (OPT_LIST, REP_SERVER, &data);
  }
  if (one_in (6))
    say_refusal (OPT_LIST);
  else
    say_ack (OPT_LIST);
}

static void
answer_export_name (void)
{
  struct bytes data = { .count = 0 };
  size_t i;

  put64 (&data, MIB);
  put16 (&data, EVERY_FLAG);
  for (i = 0; i < 31 && !negotiation.no_zeroes; i++)
    put32 (&data, 0);
  say_bytes (&data);
  negotiation.open = false;
}

/* Answers an option that can only be accepted or refused. */
static bool
agrees (uint32_t option)
{
  if (one_in (8)) {
    say_refusal (option);
    return false;
  }
  if (breaks_a_rule (20))
    say_odd_reply (option);
  say_ack (option);
  return true;
}

static void
answer_option (const struct option *option, const unsigned char *data)
{
  switch (option->number) {
  case OPT_EXPORT_NAME:
    answer_export_name ();
    break;
  case OPT_ABORT:
    say_ack (OPT_ABORT);
    break;
  case OPT_LIST:
    answer_list ();
    break;
  case OPT_INFO:
  case OPT_GO:
    answer_info (option->number);
    break;
  case OPT_STRUCTURED_REPLY:
    if (negotiation.most == SIMPLE || played.replies == EXTENDED)
      say_refusal (option->number);
    else if (agrees (option->number))
      played.replies = STRUCTURED;
    break;
  case OPT_EXTENDED_HEADERS:
    if (negotiation.most != EXTENDED)
      say_refusal (option->number);
    else if (agrees (option->number))
      played.replies = EXTENDED;
    break;
  case OPT_LIST_META_CONTEXT:
  case OPT_SET_META_CONTEXT:
    answer_contexts (option, data);
    break;
  default:
    say_refusal (option->number);
  }
}

/* Receives and answers the client's output. */
static void
take_options (bool report)
{
  size_t used = 0;

  if (played.fd == -1)
    return;
  take_in ();
  if (!negotiation.flags_came && played.in_count >= 4) {
    negotiation.flags_came = true;
    negotiation.no_zeroes = played.in[3] & 2;
    used = 4;
  }
  while (negotiation.open && played.in_count - used >= OPTION_HEADER_SIZE) {
    const unsigned char *data = played.in + used + OPTION_HEADER_SIZE;
    struct option option = parse_option (played.in + used);

    if (played.in_count - used < OPTION_HEADER_SIZE + option.length)
      break;
    if (report)
      line ("server gets option %u, %zu bytes, %016" PRIx64, option.number,
            option.length, checksum (data, option.length));
    answer_option (&option, data);
    used += OPTION_HEADER_SIZE + option.length;
  }
  memmove (played.in, played.in + used, played.in_count - used);
  played.in_count -= used;
}

#endif /* PLAYED_OPTIONS_H */
