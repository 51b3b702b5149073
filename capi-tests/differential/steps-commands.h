/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps that send commands to the server, one by one or many at once. */
#ifndef STEPS_COMMANDS_H
#define STEPS_COMMANDS_H

#include "memserver.h"
#include "steps-waiting.h"

/* Larger than any library accepts in one request. */
#define TOO_LARGE ((64U << 20) + 1)

static uint64_t count, offset;
static uint32_t flags;

/* Length of the payload of the last command issued. */
static uint64_t payload;

/* Chooses a range and flags that are usually valid. */
static void
choose_range (void)
{
  static const uint64_t counts[] = {
    0,
    1,
    7,
    512,
    4096,
    65536,
    65536,
    1 << 20,
    TOO_LARGE,
    UINT32_MAX,
    UINT64_C (1) << 32,
    UINT64_C (1) << 63,
    UINT64_MAX,
  };
  const uint64_t offsets[] = {
    0,
    1,
    server_size,
    server_size - 1,
    server_size - 512,
    server_size + 1,
    UINT64_C (1) << 63,
    UINT64_MAX,
    UINT64_MAX - 511,
  };

  count = (1 + below (16)) * 512;
  offset = below (2000) * 512;
  if (one_in (4))
    offset = below (16) * 4096;
  if (one_in (6))
    count = ONE_OF (counts);
  if (one_in (6))
    offset = ONE_OF (offsets);
  if (one_in (20)) {
    count = 1 + below (5000);
    offset = below (1000000);
  }
  flags = 0;
  if (one_in (6))
    flags = UINT32_C (1) << below (7);
  else if (one_in (20))
    flags = below (0x40000);
  /* 1.14 does not have the payload flag. */
  if (level < 24)
    flags &= ~(uint32_t) LIBNBD_CMD_FLAG_PAYLOAD_LEN;
}

/* Memory for the range, between guard bytes that must not change. */
#define GUARD 64

static struct buffer *buffers[512];
static size_t buffer_count;

static struct buffer *
new_buffer (void)
{
  struct buffer *buffer = calloc (1, sizeof *buffer);
  size_t i;

  if (count > TOO_LARGE)
    count = TOO_LARGE;
  CHECK (buffer != NULL && buffer_count < COUNT_OF (buffers));
  buffer->count = count;
  buffer->bytes = malloc (count + 2 * GUARD);
  CHECK (buffer->bytes != NULL);
  memset (buffer->bytes, 0xa5, GUARD);
  buffer->bytes += GUARD;
  memset (buffer->bytes, (int) step, count);
  for (i = 0; i < count && i < 4096; i++)
    buffer->bytes[i] = (unsigned char) random_u64 ();
  memset (buffer->bytes + count, 0xa5, GUARD);
  buffers[buffer_count++] = buffer;
  return buffer;
}

static void
check_and_free_buffers (void)
{
  size_t i, j;

  for (i = 0; i < buffer_count; i++) {
    unsigned char *bytes = buffers[i]->bytes;

    for (j = 0; j < GUARD; j++)
      if (bytes[j - GUARD] != 0xa5 || bytes[buffers[i]->count + j] != 0xa5) {
        line ("a buffer was written past its ends");
        break;
      }
    free (bytes - GUARD);
    free (buffers[i]);
  }
}

static void
print_buffer (const struct buffer *buffer)
{
  line ("buffer %016" PRIx64, checksum (buffer->bytes, buffer->count));
}

#define RANGE \
  "count %" PRIu64 ", offset %" PRIu64 ", flags 0x%x", count, offset, flags

static char **
choose_contexts (void)
{
  static char *contexts[4];
  size_t i, n = below (4);

  for (i = 0; i < n; i++)
    contexts[i] = (char *) ONE_OF (context_names);
  contexts[n] = NULL;
  return contexts;
}

static const char *
list_of (char **contexts)
{
  static char text[256];

  text[0] = '\0';
  for (; *contexts != NULL; contexts++) {
    strcat (text, " '");
    strcat (text, *contexts);
    strcat (text, "'");
  }
  return text;
}

static void
sync_read (bool structured)
{
  struct buffer *buffer = new_buffer ();

  if (structured) {
    nbd_chunk_callback chunk = ANY_CHUNK (buffer);

    RETURNS (nbd_pread_structured,
             (h, buffer->bytes, count, offset, chunk, flags), RANGE);
  } else
    RETURNS (nbd_pread, (h, buffer->bytes, count, offset, flags), RANGE);
  print_buffer (buffer);
}

static void
sync_block_status (void)
{
  char **contexts = choose_contexts ();

  switch (level < 24 ? 0 : below (3)) {
  case 0: {
    nbd_extent_callback extent = ANY_EXTENT;

    RETURNS (nbd_block_status, (h, count, offset, extent, flags), RANGE);
  } break;
  case 1: {
    nbd_extent64_callback extent = ANY_EXTENT64;

    NEWER_RETURNS (nbd_block_status_64, (h, count, offset, extent, flags),
                   RANGE);
  } break;
  default: {
    nbd_extent64_callback extent = ANY_EXTENT64;

    NEWER_RETURNS (nbd_block_status_filter,
                   (h, count, offset, contexts, extent, flags),
                   "%s count %" PRIu64 ", offset %" PRIu64 ", flags 0x%x",
                   list_of (contexts), count, offset, flags);
  }
  }
}

static void
sync_command (void)
{
  /* Of several commands in flight, one is waited for: the others that are then
   * complete depend on the order of replies.
   */
  if (unsettled && (server_shuffles || server_closes))
    settle ();
  choose_range ();
  switch (below (10)) {
  case 0:
  case 1:
    sync_read (false);
    break;
  case 2:
  case 3:
    sync_read (true);
    break;
  case 4:
  case 5: {
    struct buffer *buffer = new_buffer ();

    RETURNS (nbd_pwrite, (h, buffer->bytes, count, offset, flags), RANGE);
  } break;
  case 6:
    sync_block_status ();
    break;
  case 7:
    RETURNS (nbd_trim, (h, count, offset, flags), RANGE);
    break;
  case 8:
    RETURNS (nbd_zero, (h, count, offset, flags), RANGE);
    break;
  default:
    if (one_in (2))
      RETURNS (nbd_cache, (h, count, offset, flags), RANGE);
    else
      RETURNS (nbd_flush, (h, flags), "flags 0x%x", flags);
  }
}

static int64_t
issue_read (void)
{
  struct buffer *buffer = new_buffer ();

  if (one_in (2)) {
    nbd_chunk_callback chunk = ANY_CHUNK (buffer);
    nbd_completion_callback completion = ANY_COMPLETION (buffer);

    return RETURNS (nbd_aio_pread_structured,
                    (h, buffer->bytes, count, offset, chunk, completion, flags),
                    RANGE);
  } else {
    nbd_completion_callback completion = ANY_COMPLETION (buffer);

    return RETURNS (nbd_aio_pread,
                    (h, buffer->bytes, count, offset, completion, flags),
                    RANGE);
  }
}

static int64_t
issue_block_status (void)
{
  char **contexts = choose_contexts ();
  nbd_completion_callback completion = ANY_COMPLETION (NULL);

  switch (level < 24 ? 0 : below (3)) {
  case 0: {
    nbd_extent_callback extent = ANY_EXTENT;

    return RETURNS (nbd_aio_block_status,
                    (h, count, offset, extent, completion, flags), RANGE);
  }
  case 1: {
    nbd_extent64_callback extent = ANY_EXTENT64;

    return NEWER_RETURNS (nbd_aio_block_status_64,
                          (h, count, offset, extent, completion, flags), RANGE);
  }
  default: {
    nbd_extent64_callback extent = ANY_EXTENT64;

    return NEWER_RETURNS (nbd_aio_block_status_filter,
                          (h, count, offset, contexts, extent, completion,
                           flags),
                          "%s count %" PRIu64 ", offset %" PRIu64
                          ", flags 0x%x",
                          list_of (contexts), count, offset, flags);
  }
  }
}

static int64_t
issue_other (void)
{
  nbd_completion_callback completion;

  if (one_in (3)) {
    struct buffer *buffer = new_buffer ();

    completion = ANY_COMPLETION (NULL);
    payload = count;
    return RETURNS (nbd_aio_pwrite,
                    (h, buffer->bytes, count, offset, completion, flags),
                    RANGE);
  }
  completion = ANY_COMPLETION (NULL);
  switch (below (4)) {
  case 0:
    return RETURNS (nbd_aio_trim, (h, count, offset, completion, flags), RANGE);
  case 1:
    return RETURNS (nbd_aio_zero, (h, count, offset, completion, flags), RANGE);
  case 2:
    return RETURNS (nbd_aio_cache, (h, count, offset, completion, flags),
                    RANGE);
  default:
    return RETURNS (nbd_aio_flush, (h, completion, flags), "flags 0x%x", flags);
  }
}

static void
issue_command (void)
{
  int64_t cookie;

  if (unsettled && server_closes)
    settle ();
  choose_range ();
  payload = 0;
  switch (below (5)) {
  case 0:
  case 1:
    cookie = issue_read ();
    break;
  case 2:
    cookie = issue_block_status ();
    break;
  default:
    cookie = issue_other ();
  }
  if (cookie > 0) {
    last_cookie = cookie;
    unsettled = true;
    unsettled_bytes += 32 + payload;
  }
}

#endif /* STEPS_COMMANDS_H */
