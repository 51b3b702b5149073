/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Support for every program: checks that report their location, and memserver to
 * connect to, whose path is MEMSERVER in the environment.
 *
 * A program passes if it exits with status 0.
 */
#ifndef HARNESS_H
#define HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
/* Debian's gcc for 32-bit ARM defines both, and the C library's headers then
 * rename recvmsg and others: a program's own recvmsg would no longer be the
 * function that the library calls.
 */
#undef _TIME_BITS
#undef _FILE_OFFSET_BITS
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libnbd.h>

/* Checks that the condition holds. */
#define CHECK(condition) \
  ((condition) ? (void) 0 : fail (__FILE__, __LINE__, #condition))

/* Checks that the call returns -1 and sets this errno. */
#define CHECK_ERROR(call, expected) \
  check_error (__FILE__, __LINE__, #call, (call) == -1, (expected))

/* Checks that the call returns NULL and sets this errno. */
#define CHECK_NULL(call, expected) \
  check_error (__FILE__, __LINE__, #call, (call) == NULL, (expected))

/* Checks that the last error message contains this text. */
#define CHECK_MESSAGE(text) \
  check_text (__FILE__, __LINE__, nbd_get_error (), (text), false)

/* Checks that the call returns exactly this string, and frees it. */
#define CHECK_STRING(call, text) \
  do { \
    char *returned_ = (call); \
    check_text (__FILE__, __LINE__, returned_, (text), true); \
    free (returned_); \
  } while (0)

/* A text for the above, with this system's description of an errno. */
static inline const char *
with_reason (const char *text, int error)
{
  static char whole[256];

  snprintf (whole, sizeof whole, "%s: %s", text, strerror (error));
  return whole;
}

static inline void
fail (const char *file, int line, const char *what)
{
  const char *error = nbd_get_error ();

  fprintf (stderr, "%s:%d: %s\n", file, line, what);
  fprintf (stderr, "    last error: %s (errno %d)\n", error ? error : "none",
           nbd_get_errno ());
  exit (EXIT_FAILURE);
}

static inline void
check_error (const char *file, int line, const char *call, bool failed,
             int expected)
{
  if (!failed)
    fail (file, line, call);
  if (nbd_get_errno () != expected || nbd_get_error () == NULL) {
    fprintf (stderr, "%s:%d: expected errno %d (%s)\n", file, line, expected,
             strerror (expected));
    fail (file, line, call);
  }
}

static inline void
check_text (const char *file, int line, const char *got, const char *expected,
            bool exact)
{
  if (got
      && (exact ? strcmp (got, expected) == 0 : strstr (got, expected) != NULL))
    return;
  fprintf (stderr, "%s:%d: got \"%s\"\n", file, line, got ? got : "NULL");
  fail (file, line, expected);
}

/* An argument vector that runs the server on its standard input, for
 * nbd_connect_command.  Takes at least one option.
 */
#define server_command(...) \
  ((char *[]) { memserver (), "--stdin", __VA_ARGS__, NULL })

/* Starts a server on a Unix socket, which ends when this program exits.  Takes
 * at least one option and returns the path of the socket.
 */
#define server_start(...) \
  start_server ((char *[]) { memserver (), "--unix", socket_path (), \
                             "--exit-with-parent", "--ready-fd", "3", \
                             __VA_ARGS__, NULL })

/* A handle connected to a server of its own with these options. */
#define connected(...) \
  connect_handle (nbd_create (), server_command (__VA_ARGS__))

/* Like connected, but paused for option negotiation. */
#define negotiating(...) \
  connect_handle (in_opt_mode (nbd_create ()), server_command (__VA_ARGS__))

static inline char *
memserver (void)
{
  char *path = getenv ("MEMSERVER");

  CHECK (path != NULL);
  return path;
}

static inline struct nbd_handle *
in_opt_mode (struct nbd_handle *h)
{
  CHECK (h != NULL);
  CHECK (nbd_set_opt_mode (h, true) == 0);
  return h;
}

static inline struct nbd_handle *
connect_handle (struct nbd_handle *h, char **argv)
{
  CHECK (h != NULL);
  CHECK (nbd_connect_command (h, argv) == 0);
  return h;
}

/* No program may hang: SIGALRM ends it.  TEST_SECONDS is for slow machines. */
__attribute__ ((constructor)) static void
limit_run_time (void)
{
  const char *seconds = getenv ("TEST_SECONDS");
  alarm (seconds ? (unsigned) atoi (seconds) : 120);
}

static char server_directory[] = "/tmp/capi-test-XXXXXX";
static char server_socket[sizeof server_directory + 8];
static pid_t server_pid;

static inline void
stop_server (void)
{
  if (server_pid > 0) {
    kill (server_pid, SIGTERM);
    waitpid (server_pid, NULL, 0);
  }
  unlink (server_socket);
  rmdir (server_directory);
}

/* Returns a path in a directory that is removed at exit. */
static inline char *
socket_path (void)
{
  if (server_socket[0] == '\0') {
    CHECK (mkdtemp (server_directory) != NULL);
    snprintf (server_socket, sizeof server_socket, "%s/socket",
              server_directory);
    CHECK (atexit (stop_server) == 0);
  }
  return server_socket;
}

static inline const char *
start_server (char **argv)
{
  int ready[2];
  char byte;

  CHECK (pipe2 (ready, O_CLOEXEC) == 0);
  server_pid = fork ();
  CHECK (server_pid >= 0);
  if (server_pid == 0) {
    if (ready[1] == 3)
      fcntl (3, F_SETFD, 0);
    else
      dup2 (ready[1], 3);
    execvp (argv[0], argv);
    perror (argv[0]);
    _exit (127);
  }
  close (ready[1]);
  CHECK (read (ready[0], &byte, 1) == 1);
  close (ready[0]);
  return server_socket;
}

/* Starts a server with one end of a socket pair as its standard input, and
 * returns the other end.
 */
static inline int
server_on_socket (char **argv, pid_t *pid)
{
  int pair[2];

  CHECK (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  *pid = fork ();
  CHECK (*pid >= 0);
  if (*pid == 0) {
    dup2 (pair[1], 0);
    execvp (argv[0], argv);
    perror (argv[0]);
    _exit (127);
  }
  CHECK (close (pair[1]) == 0);
  return pair[0];
}

/* A counting free function for closures: user_data is an int. */
static inline void
count_free (void *user_data)
{
  ++*(int *) user_data;
}

#endif /* HARNESS_H */
