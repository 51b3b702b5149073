/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Arguments for the calls in every-function.h and similar lists, and
 * handles in every state.  The closures of a call have a free function that
 * counts in `freed`.
 */
#ifndef CALL_ARGUMENTS_H
#define CALL_ARGUMENTS_H

#include "harness.h"

#include <sys/uio.h>

enum {
  CREATED = 1,
  CONNECTING = 2,
  NEGOTIATING = 4,
  CONNECTED = 8,
  CLOSED = 16,
  DEAD = 32,
  ANY = 63,
};

__attribute__ ((unused)) static int freed;

static inline int
on_debug (void *user_data, const char *context, const char *message)
{
  (void) user_data;
  (void) context;
  (void) message;
  return 0;
}

static inline int
on_completion (void *user_data, int *error)
{
  (void) user_data;
  (void) error;
  return 0;
}

static inline int
on_list (void *user_data, const char *name, const char *description)
{
  (void) user_data;
  (void) name;
  (void) description;
  return 0;
}

static inline int
on_context (void *user_data, const char *name)
{
  (void) user_data;
  (void) name;
  return 0;
}

static inline int
on_chunk (void *user_data, const void *data, size_t count, uint64_t offset,
          unsigned status, int *error)
{
  (void) user_data;
  (void) data;
  (void) count;
  (void) offset;
  (void) status;
  (void) error;
  return 0;
}

static inline int
on_extent (void *user_data, const char *context, uint64_t offset,
           uint32_t *entries, size_t count, int *error)
{
  (void) user_data;
  (void) context;
  (void) offset;
  (void) entries;
  (void) count;
  (void) error;
  return 0;
}

static inline int
on_extent64 (void *user_data, const char *context, uint64_t offset,
             nbd_extent *entries, size_t count, int *error)
{
  (void) user_data;
  (void) context;
  (void) offset;
  (void) entries;
  (void) count;
  (void) error;
  return 0;
}

#define CLOSURE(type, function) ((type) { function, &freed, count_free })
#define DEBUG CLOSURE (nbd_debug_callback, on_debug)
#define COMPLETION CLOSURE (nbd_completion_callback, on_completion)
#define LIST CLOSURE (nbd_list_callback, on_list)
#define CONTEXT CLOSURE (nbd_context_callback, on_context)
#define CHUNK CLOSURE (nbd_chunk_callback, on_chunk)
#define EXTENT CLOSURE (nbd_extent_callback, on_extent)
#define EXTENT64 CLOSURE (nbd_extent64_callback, on_extent64)

__attribute__ ((unused)) static char BUFFER[512];
__attribute__ ((unused)) static int NUMBERS[3];

#define IOV (&(struct iovec) { BUFFER, sizeof BUFFER })
#define CONTEXTS ((char *[]) { "base:allocation", NULL })
#define COMMAND ((char *[]) { "/bin/true", NULL })
#define ADDRESS \
  ((struct sockaddr *) &(struct sockaddr_un) { \
      .sun_family = AF_UNIX, .sun_path = "/nonexistent/socket" })
#define ADDRESS_LENGTH sizeof (struct sockaddr_un)

/* Returns the number of closures in the source text of a call. */
static inline int
closures_in (const char *call)
{
  static const char *const words[] = {
    "DEBUG", "COMPLETION", "LIST", "CONTEXT", "CHUNK", "EXTENT", "EXTENT64",
  };
  int count = 0;
  size_t i;

  for (i = 0; i < sizeof words / sizeof words[0]; ++i) {
    const char *p = call;
    size_t n = strlen (words[i]);

    while ((p = strstr (p, words[i])) != NULL) {
      if (p[-1] == ' ' && (p[n] == ',' || p[n] == ')'))
        ++count;
      p += n;
    }
  }
  return count;
}

/* Returns -1 for NULL, like the functions that return numbers. */
static inline int
FOUND (const char *text)
{
  return text ? 0 : -1;
}

static inline int
RELEASED (char *text)
{
  int result = FOUND (text);

  free (text);
  return result;
}

/* The other end of a connection in the state CONNECTING. */
static int silent_server = -1;

static inline struct nbd_handle *
handle_in_state (int state)
{
  struct nbd_handle *h;
  int pair[2];

  switch (state) {
  case NEGOTIATING:
    return negotiating ("--size", "1M");
  case CONNECTED:
    return connected ("--size", "1M");
  case CLOSED:
    h = connected ("--size", "1M");
    CHECK (nbd_shutdown (h, 0) == 0);
    CHECK (nbd_aio_is_closed (h) == 1);
    return h;
  }
  h = nbd_create ();
  CHECK (h != NULL);
  if (state == CONNECTING) {
    if (silent_server != -1)
      close (silent_server);
    CHECK (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    silent_server = pair[1];
    CHECK (nbd_aio_connect_socket (h, pair[0]) == 0);
    CHECK (nbd_aio_is_connecting (h) == 1);
  } else if (state == DEAD) {
    CHECK_ERROR (nbd_connect_unix (h, "/nonexistent/socket"), ENOENT);
    CHECK (nbd_aio_is_dead (h) == 1);
  }
  return h;
}

#endif /* CALL_ARGUMENTS_H */
