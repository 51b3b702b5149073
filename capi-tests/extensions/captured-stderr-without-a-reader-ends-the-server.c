/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the standard error of the program has no reader, a server that writes to it
 * receives SIGPIPE, as without the capture.  If the program has no standard
 * error, what the server writes is lost, and nothing else happens.
 *
 * Source: nbd_ext_set_capture_stderr(3).
 */
#include "../harness/server-messages.h"

static void
check_closed (int (*prepare) (void), const char *script, bool serves)
{
  int saved = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 10), reader;
  struct nbd_handle *h = capturing ();
  int r;

  CHECK (saved >= 0);
  reader = prepare ();
  r = nbd_connect_command (h, shell_command (script));
  if (reader >= 0)
    close (reader);
  CHECK (dup2 (saved, STDERR_FILENO) == STDERR_FILENO);
  close (saved);
  CHECK (r == (serves ? 0 : -1));
  CHECK_STRING (nbd_ext_get_error_detail (h), serves ? "lost" : "y");
  nbd_close (h);
}

static int
without_reader (void)
{
  int fds[2];

  CHECK (pipe2 (fds, O_CLOEXEC) == 0);
  CHECK (dup2 (fds[1], STDERR_FILENO) == STDERR_FILENO);
  close (fds[0]);
  close (fds[1]);
  return -1;
}

static int
without_stderr (void)
{
  close (STDERR_FILENO);
  return -1;
}

int
main (void)
{
  check_closed (without_reader, "echo y >&2; sleep 0.1; exec yes >&2", false);
  check_closed (without_stderr, "echo lost >&2; exec \"$0\" --stdin", true);
  return 0;
}
