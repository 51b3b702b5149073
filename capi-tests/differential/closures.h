/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callbacks that record their calls.  Their return values are chosen when they
 * are made.
 */
#ifndef CLOSURES_H
#define CLOSURES_H

#include "transcript.h"
#include "random.h"

/* A command's buffer, kept until the handle is closed. */
struct buffer {
  unsigned char *bytes;
  size_t count;
};

struct closure {
  const char *kind;
  unsigned step;
  const struct buffer *buffer;
  int result;
  int error;
};

static void
closure_free (void *data)
{
  struct closure *closure = data;

  line ("%s of %u is freed", closure->kind, closure->step);
}

static struct closure *
closure_new (const char *kind)
{
  static const int errors[] = { EDOM, EIO, ENOSPC, 0 };
  struct closure *closure = calloc (1, sizeof *closure);

  CHECK (closure != NULL);
  closure->kind = kind;
  closure->step = step;
  closure->error = -1;
  if (one_in (3))
    closure->result = (int) below (4) - 1;
  if (closure->result == -1 && !one_in (4))
    closure->error = ONE_OF (errors);
  return closure;
}

static int
closure_result (const struct closure *closure, int *error)
{
  if (error != NULL && closure->error != -1)
    *error = closure->error;
  return closure->result;
}

static int
on_completion (void *data, int *error)
{
  const struct closure *closure = data;

  line ("completion of %u: error %s", closure->step, errno_name (*error));
  if (closure->buffer != NULL)
    line ("  buffer %016" PRIx64,
          checksum (closure->buffer->bytes, closure->buffer->count));
  return closure_result (closure, error);
}

static int
on_chunk (void *data, const void *subbuf, size_t count, uint64_t offset,
          unsigned status, int *error)
{
  const struct closure *closure = data;

  line ("chunk of %u: at %td, %zu bytes, offset %" PRIu64 ", status %u, "
        "error %s, %016" PRIx64,
        closure->step, (const unsigned char *) subbuf - closure->buffer->bytes,
        count, offset, status, errno_name (*error), checksum (subbuf, count));
  return closure_result (closure, error);
}

static int
on_extent (void *data, const char *context, uint64_t offset, uint32_t *entries,
           size_t count, int *error)
{
  const struct closure *closure = data;
  size_t i;

  line ("extents of %u: %s, offset %" PRIu64 ", %zu entries, error %s",
        closure->step, context, offset, count, errno_name (*error));
  for (i = 0; i + 1 < count && i < 24; i += 2)
    line ("  %" PRIu32 " %" PRIu32, entries[i], entries[i + 1]);
  return closure_result (closure, error);
}

static int
on_extent64 (void *data, const char *context, uint64_t offset,
             nbd_extent *entries, size_t count, int *error)
{
  const struct closure *closure = data;
  size_t i;

  line ("extents of %u: %s, offset %" PRIu64 ", %zu entries, error %s",
        closure->step, context, offset, count, errno_name (*error));
  for (i = 0; i < count && i < 12; i++)
    line ("  %" PRIu64 " %" PRIu64, entries[i].length, entries[i].flags);
  return closure_result (closure, error);
}

static int
on_list (void *data, const char *name, const char *description)
{
  const struct closure *closure = data;

  line ("export of %u: \"%.80s\" \"%.80s\"", closure->step, name, description);
  return closure->result;
}

static int
on_context (void *data, const char *name)
{
  const struct closure *closure = data;

  line ("context of %u: \"%.80s\"", closure->step, name);
  return closure->result;
}

static int
on_debug (void *data, const char *context, const char *message)
{
  (void) data;
  (void) context;
  (void) message;
  return 0;
}

/* A closure with a callback, with only a free function, or, if the function
 * allows it, empty.
 */
#define CLOSURE(type, function, kind, memory) \
  ({ \
    type made_ = { .callback = function, .free = closure_free }; \
    if (!one_in (25)) { \
      struct closure *data_ = closure_new (kind); \
      data_->buffer = (memory); \
      made_.user_data = data_; \
      if (one_in (12)) \
        made_.callback = NULL; \
    } else \
      made_ = (type) { .callback = NULL }; \
    made_; \
  })

#define ANY_COMPLETION(memory) \
  CLOSURE (nbd_completion_callback, on_completion, "completion", memory)
#define ANY_CHUNK(memory) \
  CLOSURE (nbd_chunk_callback, on_chunk, "chunk", memory)
#define ANY_EXTENT CLOSURE (nbd_extent_callback, on_extent, "extent", NULL)
#define ANY_EXTENT64 \
  CLOSURE (nbd_extent64_callback, on_extent64, "extent", NULL)
#define LIST CLOSURE (nbd_list_callback, on_list, "list", NULL)
#define CONTEXT CLOSURE (nbd_context_callback, on_context, "context", NULL)
#define DEBUG CLOSURE (nbd_debug_callback, on_debug, "debug", NULL)

#endif /* CLOSURES_H */
