/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server may fall silent, close or reset the connection after any byte of a
 * session with every kind of message, or send byte by byte. Every operation
 * completes once and each closure is freed once; only an option does not
 * complete when the handle is closed.  With a silent server the program can
 * time out and close; a lost server leaves a handle that is dead or closed.
 * Source: libnbd(3), "Callback lifetimes", nbd_close(3), nbd_aio_is_dead(3).
 */
#include "../harness/peer-replay.h"

#define OPERATIONS 16

/* Counts of the calls and frees of one operation's closures. */
struct operation {
  int completed, completion_freed, middle_freed;
  bool has_middle, issued;
};

struct session {
  bool opt_mode;
  int step;
  struct operation operations[OPERATIONS];
  int count;
};

static char data[1024], out[1000];

static int
on_completion (void *user_data, int *error)
{
  struct operation *operation = user_data;

  CHECK (*error >= 0);
  CHECK (operation->completion_freed == 0);
  ++operation->completed;
  return 0;
}

static void
on_completion_free (void *user_data)
{
  ++((struct operation *) user_data)->completion_freed;
}

static void
on_middle_free (void *user_data)
{
  ++((struct operation *) user_data)->middle_freed;
}

static void
check_alive (const struct operation *operation)
{
  CHECK (operation->completed == 0 && operation->middle_freed == 0);
}

static int
on_list (void *user_data, const char *name, const char *description)
{
  CHECK (name && description);
  check_alive (user_data);
  return 0;
}

static int
on_context (void *user_data, const char *name)
{
  CHECK (name);
  check_alive (user_data);
  return 0;
}

static int
on_chunk (void *user_data, const void *bytes, size_t count, uint64_t offset,
          unsigned status, int *error)
{
  (void) offset, (void) status, (void) error;
  CHECK ((char *) bytes >= data
         && (char *) bytes + count <= data + sizeof data);
  check_alive (user_data);
  return 0;
}

static int
on_extent (void *user_data, const char *context, uint64_t offset,
           uint32_t *entries, size_t count, int *error)
{
  (void) offset, (void) entries, (void) error;
  CHECK (context && count % 2 == 0);
  check_alive (user_data);
  return 0;
}

#define DONE \
  ((nbd_completion_callback) { on_completion, operation, on_completion_free })
#define MIDDLE(type, function) \
  (operation->has_middle = true, \
   (nbd_##type##_callback) { function, operation, on_middle_free })

/* Gives the next call of the session its own closures. */
#define ISSUE(session, call) \
  do { \
    struct operation *operation = &(session)->operations[(session)->count++]; \
    CHECK ((session)->count <= OPERATIONS); \
    operation->issued = (call) != -1; \
  } while (0)

static void
issue_commands (struct nbd_handle *h, struct session *s)
{
  ISSUE (s, nbd_aio_pread_structured (h, data, 300, 0, MIDDLE (chunk, on_chunk),
                                      DONE, 0));
  ISSUE (s, nbd_aio_pwrite (h, out, sizeof out, 4096, DONE, 0));
  if (nbd_get_nr_meta_contexts (h) > 0)
    ISSUE (s, nbd_aio_block_status (h, 65536, 0, MIDDLE (extent, on_extent),
                                    DONE, 0));
  ISSUE (s, nbd_aio_pread (h, data + 300, 100, 65000, DONE, 0));
  ISSUE (s, nbd_aio_pread (h, data, 512, 32768, DONE, 0));
  ISSUE (s, nbd_aio_zero (h, 512, 8192, DONE, 0));
  ISSUE (s, nbd_aio_flush (h, DONE, 0));
}

/* Makes the next call when it is due; returns true when all is done. */
static bool
session (struct nbd_handle *h, void *user_data)
{
  struct session *s = user_data;

  if (nbd_aio_is_dead (h) || nbd_aio_is_closed (h))
    return true;
  if (nbd_aio_is_connecting (h))
    return false;
  if (nbd_aio_is_negotiating (h)) {
    switch (s->step++) {
    case 0:
      ISSUE (s, nbd_aio_opt_list (h, MIDDLE (list, on_list), DONE));
      break;
    case 1:
      ISSUE (s, nbd_aio_opt_list_meta_context (h, MIDDLE (context, on_context),
                                               DONE));
      break;
    case 2:
      ISSUE (s, nbd_aio_opt_info (h, DONE));
      break;
    case 3:
      ISSUE (s, nbd_aio_opt_set_meta_context (h, MIDDLE (context, on_context),
                                              DONE));
      break;
    default:
      ISSUE (s, nbd_aio_opt_go (h, DONE));
    }
    return false;
  }
  if (s->step < 10) {
    s->step = 10;
    issue_commands (h, s);
  }
  if (s->step == 10 && nbd_aio_in_flight (h) == 0) {
    s->step = 11;
    nbd_aio_disconnect (h, 0);
  }
  return false;
}

static struct nbd_handle *
begin (const struct session *s, int *server)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (h != NULL);
  CHECK (nbd_set_opt_mode (h, s->opt_mode) == 0);
  CHECK (nbd_set_full_info (h, true) == 0);
  CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
  CHECK (nbd_add_meta_context (h, "x:two") == 0);
  CHECK (nbd_aio_connect_socket (h, scripted_server ("", 0, server)) == 0);
  return h;
}

static void
check_operations (const struct session *s)
{
  for (int i = 0; i < s->count; ++i) {
    const struct operation *operation = &s->operations[i];

    CHECK (operation->completed == operation->issued);
    CHECK (operation->completion_freed == 1);
    CHECK (operation->middle_freed == operation->has_middle);
  }
}

static size_t
playback (const struct recording *recording, bool opt_mode, size_t limit,
          size_t step, enum ending ending)
{
  struct session s = { .opt_mode = opt_mode };
  struct playback p = {
    .recording = recording, .limit = limit, .step = step, .ending = ending
  };
  struct nbd_handle *h = begin (&s, &p.client);
  bool done = false;

  /* Loops until nothing has moved for some rounds: a call can be idle, too. */
  for (int idle = 0; !done && idle < 4; ++idle) {
    if (play (&p))
      idle = 0;
    done = session (h, &s);
    if (!done && (nbd_aio_get_direction (h) == 0 || nbd_poll (h, 0) != 0))
      idle = 0;
  }
  if (ending != STALL)
    CHECK (nbd_aio_is_dead (h) == 1 || nbd_aio_is_closed (h) == 1);
  if (done) {
    CHECK (nbd_aio_in_flight (h) == 0);
    for (int i = 0; i < s.count; ++i)
      CHECK (s.operations[i].completed == s.operations[i].issued);
  }
  /* Closing the handle completes commands, but not options. */
  if (nbd_aio_is_connecting (h) && s.count > 0) {
    struct operation *option = &s.operations[s.count - 1];

    CHECK (option->completed == 0);
    option->issued = false;
  }
  nbd_close (h);
  check_operations (&s);
  if (!p.ended)
    CHECK (close (p.client) == 0);
  return p.said;
}

static size_t
run (bool opt_mode, char **argv)
{
  static struct recording recording;
  struct session s = { .opt_mode = opt_mode };
  size_t stride = getenv ("TEST_UNDER_VALGRIND") ? 41 : 1, faults = 0;
  int server;
  struct nbd_handle *h = begin (&s, &server);

  record (&recording, h, server, argv, session, &s);
  CHECK (nbd_aio_is_closed (h) == 1);
  CHECK (s.step == 11);
  nbd_close (h);
  check_operations (&s);
  CHECK (close (server) == 0);

  /* The complete playback is the same session, in pieces of any size. */
  CHECK (playback (&recording, opt_mode, recording.count, SIZE_MAX, CLOSE)
         == recording.count);
  CHECK (playback (&recording, opt_mode, recording.count, 1, CLOSE)
         == recording.count);
  for (size_t n = 0; n < recording.count; n += stride)
    for (enum ending ending = STALL; ending <= RESET; ++ending, ++faults)
      CHECK (playback (&recording, opt_mode, n, n % 3 ? SIZE_MAX : 7, ending)
             == n);
  return faults;
}

/* The server of all variants. */
#define SERVER(...) \
  server_command ("--size", "1M", "--description", "words", "--pattern", \
                  "--context", "x:two=4096:1,4096:2", "--error", \
                  "READ=EIO@32768", "--read-chunks", "128", __VA_ARGS__)

int
main (void)
{
  size_t faults = 0;

  faults += run (false, SERVER ("--newstyle-fixed"));
  faults += run (true, SERVER ("--newstyle-fixed"));
  faults += run (true, SERVER ("--no-extended-headers"));
  faults += run (false, SERVER ("--no-structured-replies"));
  faults += run (false, SERVER ("--newstyle"));
  faults += run (false, SERVER ("--oldstyle"));
  printf ("%zu ends of a connection survived\n", faults);
  return 0;
}
