/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* memserver with options drawn from the seed: its protocol, its exports and its
 * faults.
 */
#ifndef MEMSERVER_H
#define MEMSERVER_H

#include "transcript.h"
#include "random.h"

static const char *const replies_names[] = {
  "simple",
  "structured",
  "extended",
};

/* The server's options, except for the address. */
static char *server_options[64];
static size_t server_option_count;

/* True if replies are sent in another order than their requests. */
static bool server_shuffles;

/* True if the server closes the connection by itself.  Later requests are lost,
 * and their number varies.
 */
static bool server_closes;

static uint64_t server_size;

static void
server_option (const char *option)
{
  CHECK (server_option_count + 1 < COUNT_OF (server_options));
  server_options[server_option_count++] = (char *) option;
}

static void
server_option_value (const char *option, const char *value)
{
  server_option (option);
  server_option (value);
}

static void
choose_export (const char *size, bool first)
{
  static const char *const flags[] = {
    "--no-flush",          "--no-fua",    "--no-trim",       "--no-zero",
    "--no-fast-zero",      "--no-df",     "--no-multi-conn", "--no-cache",
    "--no-status-payload", "--read-only", "--rotational",
  };
  static const char *const block_sizes[] = {
    "1,4096,33554432",
    "512,4096,1048576",
    "4096,65536,4294967295",
    "1,512,65536",
  };
  static const char *const contexts[] = {
    "x:small=512:1,1024:0,4096:3",       "x:wide=65536:7,131072:4294967295",
    "x:large=1073741824:2,4294967295:0", "y:long=5368709120:1,4096:0",
    "y:flags=4096:4294967296,8192:1",
  };
  size_t i;

  server_option_value ("--size", size);
  if (!one_in (3))
    server_option ("--pattern");
  for (i = 0; i < COUNT_OF (flags); i++)
    if (one_in (12))
      server_option (flags[i]);
  if (one_in (4))
    server_option_value ("--block-size", ONE_OF (block_sizes));
  if (one_in (3))
    server_option_value ("--context", ONE_OF (contexts));
  if (one_in (3))
    server_option_value ("--description", first ? "a disk" : "another disk");
  if (one_in (4))
    server_option_value ("--canonical-name", "its real name");
}

static void
choose_exports (void)
{
  static const struct {
    const char *text;
    uint64_t size;
  } sizes[] = {
    { "1M", 1 << 20 },
    { "1M", 1 << 20 },
    { "64k", 1 << 16 },
    { "1049088", 1049088 },
    { "1000001", 1000001 },
    { "0", 0 },
    { "6G", UINT64_C (6) << 30 },
    { "8E", UINT64_C (8) << 60 },
  };
  size_t i = below (one_in (5) ? COUNT_OF (sizes) : 2);

  server_size = sizes[i].size;
  choose_export (sizes[i].text, true);
  if (one_in (3)) {
    server_option_value ("--export", "disk two");
    choose_export ("128k", false);
  }
}

static void
choose_handshake (void)
{
  static const char *const limits[] = {
    "--no-go",
    "--no-info",
    "--no-list",
    "--no-meta-context",
    "--require-block-size",
    "--no-zeroes-flag-off",
  };
  /* clang-format off */
  static const char *const errors[] = {
    "GO=UNKNOWN", "GO=POLICY", "GO=UNSUP", "GO=BLOCK_SIZE_REQD",
    "GO=TLS_REQD", "GO=SHUTDOWN", "GO=TOO_BIG", "GO=INVALID", "GO=PLATFORM",
    "INFO=UNSUP", "INFO=POLICY", "INFO=UNKNOWN", "LIST=UNSUP", "LIST=POLICY",
    "LIST=SHUTDOWN", "STRUCTURED_REPLY=POLICY", "STRUCTURED_REPLY=INVALID",
    "LIST_META_CONTEXT=UNSUP", "LIST_META_CONTEXT=UNKNOWN",
    "SET_META_CONTEXT=UNSUP", "SET_META_CONTEXT=INVALID",
    "EXTENDED_HEADERS=UNSUP", "EXTENDED_HEADERS=INVALID",
    "EXTENDED_HEADERS=POLICY", "STARTTLS=INVALID", "STARTTLS=POLICY",
    "EXPORT_NAME=UNKNOWN",
  };
  /* clang-format on */

  if (one_in (20))
    server_option ("--oldstyle");
  else if (one_in (20))
    server_option ("--newstyle");
  if (one_in (5))
    server_option (ONE_OF (limits));
  if (one_in (5))
    server_option_value ("--option-error", ONE_OF (errors));
}

static void
choose_replies (enum replies replies)
{
  static const char *const chunks[] = { "512", "700", "4k", "64k" };
  static const char *const holes[] = { "1", "512", "64k" };
  static const char *const limits[] = { "--df-limit", "--min-hole" };

  if (replies == SIMPLE)
    server_option ("--no-structured-replies");
  else if (replies == STRUCTURED)
    server_option ("--no-extended-headers");
  if (one_in (3))
    server_option_value ("--read-chunks", ONE_OF (chunks));
  if (one_in (6))
    server_option_value (ONE_OF (limits), ONE_OF (holes));
  if (one_in (8))
    server_option ("--no-holes");
  if (one_in (5))
    server_option ("--reverse-chunks");
  if (one_in (5))
    server_option ("--simple-acks");
  if (one_in (4))
    server_option ("--long-extents");
  if (one_in (8))
    server_option ("--slow-zero");
  if (one_in (8))
    server_option_value ("--send-size", "7");
  if (one_in (12)) {
    server_shuffles = true;
    server_option_value ("--shuffle", "3");
  }
}

/* Protocol violations after which the client does not wait forever: without
 * those that only stall, those of TLS, and the one that crashes the C library
 * (docs/differences.md, "Broken replies to NBD_OPT_LIST").
 */
/* clang-format off */
static const char *const server_faults[] = {
  "greeting-magic", "greeting-version", "greeting-flags",
  "option-magic", "option-number", "option-unknown-type",
  "option-unknown-error", "option-long-error", "option-ack-payload",
  "option-close",
  "info-no-export", "info-export-short", "info-export-long",
  "info-export-twice", "info-block-size-short", "info-block-size-bad",
  "info-tiny", "info-unknown", "info-unasked", "info-long-name",
  "info-no-flags",
  "list-long-name", "list-name-too-long", "list-long-name",
  "context-short", "context-unasked", "context-same-id", "context-long-name",
  "reply-magic", "reply-offset", "reply-compact",
  "reply-twice", "reply-no-done", "reply-after-done", "reply-unknown-chunk",
  "reply-unknown-error", "reply-wrong-chunk", "reply-simple",
  "none-payload", "none-not-done",
  "error-short", "error-zero", "error-unknown", "error-message-too-long",
  "error-long-message", "error-offset-outside",
  "data-oversize", "data-misplaced", "data-beyond", "data-overlap",
  "data-missing", "data-empty", "data-short",
  "hole-empty", "hole-short", "hole-long", "hole-oversize", "hole-misplaced",
  "status-wrong-context", "status-context-twice", "status-context-missing",
  "status-odd-length", "status-empty", "status-short", "status-zero-extent",
  "status-wrong-width", "status-bad-count", "status-too-many",
  "status-beyond-end",
};
/* clang-format on */

static void
choose_faults (void)
{
  /* clang-format off */
  static const char *const errors[] = {
    "READ=EIO", "READ=EPERM:2", "READ=ENOMEM@4096", "READ=EOVERFLOW@0:1",
    "WRITE=ENOSPC", "WRITE=EIO:2", "FLUSH=EIO", "FLUSH=77", "TRIM=EINVAL",
    "CACHE=ENOMEM", "WRITE_ZEROES=ENOTSUP", "WRITE_ZEROES=EPERM:1",
    "BLOCK_STATUS=EIO", "BLOCK_STATUS=ESHUTDOWN:2", "READ=99",
  };
  /* clang-format on */
  static char fault[64], closes[16];

  switch (below (8)) {
  case 0:
  case 1:
    server_option_value ("--error", ONE_OF (errors));
    if (one_in (2))
      server_option_value ("--error", ONE_OF (errors));
    break;
  case 2:
    snprintf (closes, sizeof closes, "%" PRIu64,
              below (one_in (2) ? 700 : 20000));
    server_option_value ("--close-after", closes);
    server_closes = true;
    break;
  default:
    /* Most faults affect more than the first opportunity, or only one. */
    if (one_in (2))
      snprintf (fault, sizeof fault, "%s", ONE_OF (server_faults));
    else
      snprintf (fault, sizeof fault, "%s:%u", ONE_OF (server_faults),
                1 + (unsigned) below (4));
    server_option_value ("--fault", fault);
    server_closes = strncmp (fault, "reply-no-done", 13) == 0;
  }
}

static void
choose_server (enum replies replies, bool faults)
{
  size_t i;

  /* First the exports: a name begins the next one. */
  choose_exports ();
  choose_handshake ();
  choose_replies (replies);
  if (faults)
    choose_faults ();
  printf ("server");
  for (i = 0; i < server_option_count; i++)
    printf (" '%s'", server_options[i]);
  putchar ('\n');
}

/* Returns the command line with the given beginning. */
static char **
server_argv (char *const *beginning)
{
  static char *argv[COUNT_OF (server_options) + 8];
  size_t n = 0;

  argv[n++] = memserver ();
  while (*beginning != NULL)
    argv[n++] = *beginning++;
  memcpy (&argv[n], server_options, server_option_count * sizeof argv[0]);
  argv[n + server_option_count] = NULL;
  return argv;
}

static char **
server_on_stdin (void)
{
  return server_argv ((char *[]) { "--stdin", "--exit-with-parent", NULL });
}

/* Returns the path of the server's socket. */
static const char *
server_on_unix_socket (void)
{
  if (server_pid == 0)
    start_server (server_argv ((char *[]) { "--unix", socket_path (),
                                            "--exit-with-parent", "--ready-fd",
                                            "3", NULL }));
  return server_socket;
}

static pid_t socketpair_server;

/* Returns one end of a socket pair, the other end of which is the server's. */
static int
server_on_socketpair (void)
{
  fflush (stdout);
  return server_on_socket (server_on_stdin (), &socketpair_server);
}

static void
stop_socketpair_server (void)
{
  if (socketpair_server > 0) {
    kill (socketpair_server, SIGKILL);
    waitpid (socketpair_server, NULL, 0);
    socketpair_server = 0;
  }
}

#endif /* MEMSERVER_H */
