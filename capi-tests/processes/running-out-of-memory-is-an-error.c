/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the program or the server requests more memory than available, the call
 * fails with ENOMEM: the process continues, each issued command completes once,
 * and the handle can be closed.
 *
 * Each sequence of calls is repeated, without one of its large allocations or
 * without all of them from one on.
 *
 * Source: malloc(3); libnbd(3), "Errno".
 */
#include "../harness/memory.h"
#include "../harness/peer.h"

#include <pthread.h>

/* The maximum length of a name in the protocol, and of other texts. */
#define NAME 4096
#define TEXT 20000

static char name[NAME + 1], context[NAME + 1], text[TEXT + 1];

/* Joins several parts into allocated memory. */
static char *
joined (const char *one, const char *two, const char *three)
{
  static char buffers[8][3 * TEXT];
  static int next;
  char *buffer = buffers[next++ % ITEMS (buffers)];

  snprintf (buffer, sizeof buffers[0], "%s%s%s", one, two, three);
  return buffer;
}

static int
call_debug (void *user_data, const char *function, const char *message)
{
  CHECK (function != NULL && message != NULL);
  ++*(int *) user_data;
  return 0;
}

/* Returns a connected handle, or NULL. */
static struct nbd_handle *
connected_if_possible (struct nbd_handle *h, char **argv)
{
  if (MAY_LACK_MEMORY (nbd_connect_command (h, argv)))
    return h;
  nbd_close (h);
  return NULL;
}

/* ---- settings ---- */

static void
walk_settings (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (h != NULL);
  MAY_LACK_MEMORY (nbd_set_handle_name (h, text));
  MAY_LACK_MEMORY (nbd_set_export_name (h, name));
  MAY_LACK_MEMORY (nbd_set_tls_certificates (h, text));
  MAY_LACK_MEMORY (nbd_set_tls_psk_file (h, text));
  MAY_LACK_MEMORY (nbd_set_tls_username (h, text));
  MAY_LACK_MEMORY (nbd_set_tls_hostname (h, text));
  MAY_LACK_MEMORY (nbd_set_tls_priority (h, text));
  MAY_LACK_MEMORY (nbd_add_meta_context (h, name));
  for (int i = 0; i < 600; ++i)
    MAY_LACK_MEMORY (nbd_add_meta_context (h, "x:short"));
  MAY_LACK_MEMORY_FOR (nbd_get_handle_name (h));
  MAY_LACK_MEMORY_FOR (nbd_get_export_name (h));
  /* By default, the user name comes from the system. */
  free (nbd_get_tls_username (h));
  MAY_LACK_MEMORY_FOR (nbd_get_tls_hostname (h));
  MAY_LACK_MEMORY_FOR (nbd_get_tls_priority (h));
  if (nbd_get_nr_meta_contexts (h) > 0)
    MAY_LACK_MEMORY_FOR (nbd_get_meta_context (h, 0));
  CHECK (nbd_stats_bytes_sent (h) == 0);
  nbd_close (h);
}

/* ---- human-readable texts ---- */

static void
walk_messages (void)
{
  struct nbd_handle *h = nbd_create ();
  nbd_debug_callback callback = { .callback = call_debug };
  char *many[2001] = { NULL };
  int calls = 0, standard_error, nothing;

  callback.user_data = &calls;
  for (int i = 0; i < 2000; ++i)
    many[i] = "x:a-context-with-a-name-of-some-length";
  CHECK (nbd_set_debug (h, true) == 0);
  /* To standard error. */
  standard_error = dup (STDERR_FILENO);
  nothing = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  CHECK (standard_error >= 0 && nothing >= 0);
  CHECK (dup2 (nothing, STDERR_FILENO) == STDERR_FILENO);
  nbd_set_handle_name (h, text);
  nbd_connect_systemd_socket_activation (h, (char *[]) { text, text, NULL });
  CHECK (dup2 (standard_error, STDERR_FILENO) == STDERR_FILENO);
  nbd_close (h);

  /* To a callback, and in errors. */
  h = nbd_create ();
  CHECK (nbd_set_debug (h, true) == 0);
  CHECK (nbd_set_debug_callback (h, callback) == 0);
  CHECK_ERROR_OR_MEMORY (nbd_connect_unix (h, text), ENAMETOOLONG);
  CHECK_ERROR_OR_MEMORY (nbd_set_export_name (h, text), ENAMETOOLONG);
  CHECK_ERROR_OR_MEMORY (nbd_connect_uri (h, text), EINVAL);
  CHECK_ERROR_OR_MEMORY (nbd_connect_uri (h, joined (text, "://", "")), EINVAL);
  CHECK_ERROR_OR_MEMORY (nbd_connect_uri (h, "nbd:\xff\xff\xff"), EINVAL);
  CHECK_ERROR_OR_MEMORY (nbd_connect_uri (h, joined ("nbd://\xff", text, "")),
                         EINVAL);
  CHECK_ERROR_OR_MEMORY (nbd_connect_uri (h,
                                          joined ("nbds://localhost/?tls-verify"
                                                  "-peer=",
                                                  text, "")),
                         EINVAL);
  /* The resolver has its own errors. */
  CHECK (nbd_connect_tcp (h, text, "1") == -1);
  CHECK (nbd_connect_tcp (h, "localhost", text) == -1);
  CHECK (calls > 0);
  nbd_close (h);

  /* A list that makes a long line. */
  h = in_opt_mode (nbd_create ());
  CHECK (nbd_set_debug (h, true) == 0);
  CHECK (nbd_set_debug_callback (h, callback) == 0);
  if (connected_if_possible (h, server_command ("--size", "1M"))) {
    nbd_context_callback nothing_more = { .callback = no_context };

    /* More than a server may accept. */
    nbd_opt_list_meta_context_queries (h, many, nothing_more);
    nbd_close (h);
  }
}

/* ---- URIs ---- */

static void
walk_uri (void)
{
  /* A third of it is encoded. */
  char *encoded = joined (text, "%41%41", "");
  char path[3 * TEXT];
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_uri_allow_local_file (h, true) == 0);
  CHECK (nbd_set_uri_allow_tls_priority (h, true) == 0);
  CHECK_ERROR_OR_MEMORY (nbd_connect_uri (h,
                                          joined ("nbd+unix://", encoded,
                                                  "@/?socket=/nonexistent/s")),
                         ENOENT);
  snprintf (path, sizeof path,
            "nbd+unix:///%s?tls-certificates=%s%%41&tls-username=%s"
            "&socket=/nonexistent/s",
            name, text, text);
  if (nbd_aio_is_created (h))
    CHECK_ERROR_OR_MEMORY (nbd_connect_uri (h, path), ENOENT);
  nbd_close (h);

  h = nbd_create ();
  MAY_LACK_MEMORY (nbd_set_export_name (h, name));
  MAY_LACK_MEMORY (nbd_set_tls_certificates (h, text));
  MAY_LACK_MEMORY (nbd_set_tls_psk_file (h, text));
  MAY_LACK_MEMORY (nbd_set_tls_username (h, text));
  MAY_LACK_MEMORY (nbd_set_tls_hostname (h, text));
  MAY_LACK_MEMORY (nbd_set_tls_priority (h, text));
  CHECK_ERROR_OR_MEMORY (nbd_connect_unix (h, "/nonexistent/s"), ENOENT);
  CHECK (nbd_aio_is_dead (h) == 1);
  MAY_LACK_MEMORY_FOR (nbd_get_uri (h));
  nbd_close (h);

  h = nbd_create ();
  CHECK_ERROR_OR_MEMORY (nbd_connect_uri (h, joined ("nbd+ssh://", text, ";/")),
                         EINVAL);
  CHECK_ERROR_OR_MEMORY (nbd_connect_uri (h,
                                          joined ("nbd+vsock://", text, "/")),
                         EINVAL);
  CHECK_ERROR_OR_MEMORY (nbd_connect_uri (h, joined ("nbd://localhost/?", text,
                                                     "=1&socket=x")),
                         EINVAL);
  nbd_connect_uri (h, joined ("nbd://[fe80::1%25", "lo", "]:1/"));
  CHECK (nbd_is_uri (h, text) == 0);
  nbd_close (h);
}

/* ---- options, and their replies ---- */

#define EXPORTS 200

static int
count_export (void *user_data, const char *export, const char *description)
{
  CHECK (export != NULL && description != NULL);
  ++*(int *) user_data;
  return 0;
}

static int
count_context (void *user_data, const char *metacontext)
{
  CHECK (metacontext != NULL);
  ++*(int *) user_data;
  return 0;
}

static void
walk_options (void)
{
  static char numbers[EXPORTS][16];
  char *argv[4 * EXPORTS + 16], **next = argv, *queries[601] = { NULL };
  struct nbd_handle *h;
  int exports = 0, contexts = 0;
  nbd_list_callback list = { .callback = count_export, .user_data = &exports };
  nbd_context_callback count = { .callback = count_context,
                                 .user_data = &contexts };

  *next++ = memserver ();
  *next++ = "--stdin";
  *next++ = "--context";
  *next++ = joined (context, "=4096:1", "");
  *next++ = "--description";
  *next++ = name;
  *next++ = "--canonical-name";
  *next++ = name;
  for (int i = 0; i < EXPORTS; ++i) {
    snprintf (numbers[i], sizeof numbers[i], "%d", i);
    *next++ = "--export";
    *next++ = numbers[i];
    *next++ = "--description";
    *next++ = i % 50 ? name + NAME - 100 : name;
  }
  *next = NULL;
  for (size_t i = 0; i < ITEMS (queries) - 1; ++i)
    queries[i] = i > 0 ? "x:" : context;

  h = in_opt_mode (nbd_create ());
  CHECK (nbd_set_full_info (h, true) == 0);
  if (MAY_LACK_MEMORY (nbd_add_meta_context (h, context)))
    for (int i = 0; i < 600; ++i)
      MAY_LACK_MEMORY (nbd_add_meta_context (h, "x:"));
  if (!connected_if_possible (h, argv))
    return;
  /* A reply without memory to store it ends the connection. */
  if (MAY_LACK_MEMORY (nbd_opt_list (h, list)))
    CHECK (exports == EXPORTS + 1);
  if (nbd_aio_is_negotiating (h))
    MAY_LACK_MEMORY (nbd_opt_list_meta_context (h, count));
  if (nbd_aio_is_negotiating (h))
    MAY_LACK_MEMORY (nbd_opt_list_meta_context_queries (h, queries, count));
  if (nbd_aio_is_negotiating (h))
    MAY_LACK_MEMORY (nbd_opt_set_meta_context (h, count));
  if (nbd_aio_is_negotiating (h))
    MAY_LACK_MEMORY (nbd_opt_set_meta_context_queries (h, queries, count));
  if (nbd_aio_is_negotiating (h) && MAY_LACK_MEMORY (nbd_opt_info (h))) {
    MAY_LACK_MEMORY_FOR (nbd_get_canonical_export_name (h));
    MAY_LACK_MEMORY_FOR (nbd_get_export_description (h));
  }
  if (nbd_aio_is_negotiating (h)
      && MAY_LACK_MEMORY (nbd_set_export_name (h, name)))
    CHECK_ERROR_OR_MEMORY (nbd_opt_info (h), ENOENT);
  if (nbd_aio_is_negotiating (h)
      && MAY_LACK_MEMORY (nbd_set_export_name (h, "1"))
      && MAY_LACK_MEMORY (nbd_opt_go (h)))
    CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);

  /* The same options while connecting, and EXPORT_NAME, which cannot be
   * refused. */
  h = nbd_create ();
  MAY_LACK_MEMORY (nbd_add_meta_context (h, context));
  for (int i = 0; i < 600; ++i)
    MAY_LACK_MEMORY (nbd_add_meta_context (h, "x:"));
  if (connected_if_possible (h, argv))
    nbd_close (h);
  h = nbd_create ();
  MAY_LACK_MEMORY (nbd_set_export_name (h, name));
  if (connected_if_possible (h,
                             server_command ("--newstyle", "--export", name)))
    nbd_close (h);
}

/* ---- commands in flight, and completed ---- */

#define DEPTH 1500

static int completions[DEPTH], frees[DEPTH];

static int
count_completion (void *user_data, int *error)
{
  CHECK (*error == 0 || *error == ENOTCONN);
  ++*(int *) user_data;
  return 0;
}

static void
count_completion_free (void *user_data)
{
  ++frees[(int *) user_data - completions];
}

static nbd_completion_callback
completion (int i)
{
  return (nbd_completion_callback) { .callback = count_completion,
                                     .user_data = &completions[i],
                                     .free = count_completion_free };
}

static int64_t
issue (struct nbd_handle *h, char *buffer, int i)
{
  switch (i % 3) {
  case 0:
    return nbd_aio_pread (h, buffer, 4096, 0, completion (i), 0);
  case 1:
    return nbd_aio_pwrite (h, buffer + 4096, 4096, 4096, completion (i), 0);
  default:
    return nbd_aio_zero (h, 4096, 8192, completion (i), 0);
  }
}

/* Checks that each command completed once, and each closure was freed once. */
static void
check_commands (const int64_t *cookies)
{
  for (int i = 0; i < DEPTH; ++i) {
    CHECK (completions[i] == (cookies[i] != -1));
    CHECK (frees[i] == 1);
  }
}

static void
walk_depth (void)
{
  static int64_t cookies[DEPTH];
  static char buffer[2 * 4096];
  struct nbd_handle *h = nbd_create ();
  int completed = 0, issued = 0;

  if (!connected_if_possible (h, server_command ("--size", "1M")))
    return;
  for (int i = 0; i < DEPTH; ++i) {
    cookies[i] = issue (h, buffer, i);
    if (MAY_LACK_MEMORY (cookies[i]))
      ++issued;
    else
      CHECK (frees[i] == 1);
  }
  while (nbd_aio_in_flight (h) > 0)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1 || nbd_aio_is_dead (h));
  /* Retires half of them in order of completion, the others in reverse. */
  for (int64_t cookie; completed < issued / 2; ++completed) {
    CHECK ((cookie = nbd_aio_peek_command_completed (h)) > 0);
    CHECK (nbd_aio_command_completed (h, cookie) == 1 || refused > 0);
  }
  for (int i = DEPTH - 1; i >= 0; --i)
    if (cookies[i] != -1 && frees[i] == 0) {
      CHECK (nbd_aio_command_completed (h, cookies[i]) == 1 || refused > 0);
      ++completed;
    }
  CHECK (completed == issued);
  check_commands (cookies);
  nbd_close (h);
}

/* Uses a server that does not answer: after a while, nothing can be sent. */
static void
leave_unanswered (bool abandon)
{
  static int64_t cookies[DEPTH];
  static char buffer[2 * 4096];
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };

  memset (completions, 0, sizeof completions);
  memset (frees, 0, sizeof frees);
  peer_connect (h, &peer);
  for (int i = 0; i < DEPTH; ++i)
    MAY_LACK_MEMORY (cookies[i] = issue (h, buffer, i));
  if (abandon) {
    peer_hang_up (&peer);
    nbd_shutdown (h, LIBNBD_SHUTDOWN_ABANDON_PENDING);
  } else
    CHECK (nbd_aio_disconnect (h, 0) == 0);
  nbd_close (h);
  check_commands (cookies);
  peer_close (&peer);
}

static void
walk_unanswered (void)
{
  leave_unanswered (true);
  leave_unanswered (false);
}

/* ---- extents, and chunks ---- */

static int
see_extents (void *user_data, const char *metacontext, uint64_t offset,
             nbd_extent *extents, size_t count, int *error)
{
  (void) metacontext, (void) offset, (void) extents, (void) error;
  *(size_t *) user_data += count;
  return 0;
}

static int
see_extents32 (void *user_data, const char *metacontext, uint64_t offset,
               uint32_t *entries, size_t count, int *error)
{
  (void) metacontext, (void) offset, (void) entries, (void) error;
  *(size_t *) user_data += count;
  return 0;
}

static int
see_chunk (void *user_data, const void *data, size_t count, uint64_t offset,
           unsigned status, int *error)
{
  (void) data, (void) offset, (void) status, (void) error;
  *(size_t *) user_data += count;
  return 0;
}

static void
walk_replies (void)
{
  static char data[MIB];
  char *contexts[1501] = { NULL }, *unknown[] = { text, NULL };
  size_t seen = 0;
  nbd_extent64_callback extent64 = { .callback = see_extents,
                                     .user_data = &seen };
  nbd_extent_callback extent = { .callback = see_extents32,
                                 .user_data = &seen };
  nbd_chunk_callback chunk = { .callback = see_chunk, .user_data = &seen };
  struct nbd_handle *h = nbd_create ();

  for (size_t i = 0; i < ITEMS (contexts) - 1; ++i)
    contexts[i] = "x:many";
  CHECK (nbd_add_meta_context (h, "x:many") == 0);
  if (!connected_if_possible (h,
                              server_command ("--size", "1M", "--pattern",
                                              "--context", "x:many=512:1,512:2",
                                              "--read-chunks", "512",
                                              "--reverse-chunks")))
    return;
  MAY_LACK_MEMORY (nbd_block_status (h, MIB, 0, extent, 0));
  MAY_LACK_MEMORY (nbd_block_status_64 (h, MIB, 0, extent64, 0));
  /* No server accepts a context twice. */
  nbd_block_status_filter (h, MIB, 0, contexts, extent64, 0);
  if (nbd_aio_is_ready (h))
    CHECK_ERROR_OR_MEMORY (nbd_block_status_filter (h, MIB, 0, unknown,
                                                    extent64, 0),
                           EINVAL);
  if (nbd_aio_is_ready (h))
    MAY_LACK_MEMORY (nbd_pread (h, data, sizeof data, 0, 0));
  if (nbd_aio_is_ready (h))
    MAY_LACK_MEMORY (nbd_pread_structured (h, data, sizeof data, 0, chunk, 0));
  nbd_close (h);
}

/* ---- threads that wait for each other ---- */

#define THREADS 200

static struct nbd_handle *shared;
static int succeeded, without_memory;

static void *
read_or_poll (void *number)
{
  char data[512];
  int *counter = &succeeded;

  if (number == NULL)
    nbd_poll (shared, LONG_ENOUGH);
  else if (nbd_pread (shared, data, sizeof data, 512 * (uintptr_t) number, 0)
           == -1) {
    CHECK (nbd_get_errno () == ENOMEM && refused > 0);
    counter = &without_memory;
  }
  __atomic_add_fetch (counter, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

/* All threads wait at the same time: the server answers once all requests that
 * could be issued have arrived.
 */
static void
walk_threads (void)
{
  struct peer peer = { .replies = SIMPLE };
  pthread_t threads[THREADS];
  pthread_attr_t attributes;
  struct request requests[THREADS];
  int issued = 0;

  shared = nbd_create ();
  peer_connect (shared, &peer);
  CHECK (pthread_attr_init (&attributes) == 0);
  CHECK (pthread_attr_setstacksize (&attributes, 256 * KIB) == 0);
  for (uintptr_t i = 0; i < THREADS; ++i)
    CHECK (pthread_create (&threads[i], &attributes, read_or_poll,
                           (void *) (i % 20 ? i : 0))
           == 0);
  while (issued + __atomic_load_n (&without_memory, __ATOMIC_SEQ_CST)
         < THREADS - THREADS / 20) {
    struct pollfd fd = { .fd = peer.fd, .events = POLLIN };

    if (poll (&fd, 1, 10) == 1)
      requests[issued++] = peer_request (&peer, NULL);
  }
  for (int i = 0; i < issued; ++i) {
    char data[512] = "";

    peer_simple (&peer, &requests[i], 0);
    peer_write (&peer, data, sizeof data);
  }
  /* Wakes the threads in nbd_poll. */
  peer_hang_up (&peer);
  for (int i = 0; i < THREADS; ++i)
    CHECK (pthread_join (threads[i], NULL) == 0);
  CHECK (without_memory <= refused);
  nbd_close (shared);
  peer_close (&peer);
}

/* ---- servers that the library starts ---- */

static void
walk_servers (void)
{
  static char variables[400][32];
  char *argv[1503] = { memserver (), "--stdin" };
  struct nbd_handle *h;

  for (size_t i = 2; i < ITEMS (argv) - 1; i += 2) {
    argv[i] = "--size";
    argv[i + 1] = "1M";
  }
  argv[ITEMS (argv) - 1] = NULL;
  if ((h = connected_if_possible (nbd_create (), argv)))
    nbd_close (h);
  for (size_t i = 0; i < ITEMS (variables); ++i) {
    snprintf (variables[i], sizeof variables[i], "TEST_VARIABLE_%zu=%zu", i, i);
    putenv (variables[i]);
  }
  setenv ("TEST_TEXT", text, true);
  h = nbd_create ();
  argv[1] = "--no-fua";
  if (MAY_LACK_MEMORY (nbd_connect_systemd_socket_activation (h, argv)))
    CHECK (nbd_get_size (h) == MIB);
  nbd_close (h);
  setenv ("PATH", text, true);
  h = nbd_create ();
  nbd_connect_command (h, (char *[]) { "nonexistent", NULL });
  nbd_close (h);
}

int
main (void)
{
  memset (name, 'n', NAME);
  memset (text, 't', TEXT);
  memset (context, 'c', NAME);
  context[0] = 'x', context[1] = ':';
  run_without_each ("settings", walk_settings);
  run_without_each ("messages", walk_messages);
  run_without_each ("URIs", walk_uri);
  run_without_each ("options", walk_options);
  run_without_each ("commands", walk_depth);
  run_without_each ("unanswered commands", walk_unanswered);
  run_without_each ("replies", walk_replies);
  run_without_each ("threads", walk_threads);
  run_without_each ("servers", walk_servers);
  CHECK (failed_runs == 0);
  return 0;
}
