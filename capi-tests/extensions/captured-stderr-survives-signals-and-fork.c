/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Standard error of a server is still passed on after a signal that reaches all
 * processes of the program, as when a terminal hangs up; and a child of fork(2)
 * may use and close its copy of the handle without an effect on the parent.
 *
 * Source: nbd_ext_set_capture_stderr(3), nbd_ext_get_error_detail(3).
 */
#include "../harness/server-messages.h"

/* Ends when it receives the signal, and says so. */
static const char script[] =
    "trap 'echo hung up >&2; exit' HUP; echo begin >&2; "
    "while :; do (trap '' HUP; sleep 0.01); done";

int
main (void)
{
  struct nbd_handle *h;
  int status;
  pid_t pid;

  redirect_stderr ();
  CHECK (setpgid (0, 0) == 0);
  h = capturing ();
  CHECK (nbd_aio_connect_command (h, shell_command (script)) == 0);
  /* After the start: a shell does not trap what it inherits as ignored. */
  CHECK (signal (SIGHUP, SIG_IGN) != SIG_ERR);
  wait_for_stderr (6);

  CHECK ((pid = fork ()) >= 0);
  if (pid == 0) {
    free (nbd_ext_get_error_detail (h));
    nbd_close (h);
    _exit (0);
  }
  CHECK (waitpid (pid, &status, 0) == pid && status == 0);
  CHECK_STRING (nbd_ext_get_error_detail (h), "begin");

  CHECK (kill (0, SIGHUP) == 0);
  wait_for_stderr (6 + 8);
  CHECK_STRING (nbd_ext_get_error_detail (h), "begin\nhung up");
  nbd_close (h);
  check_stderr ("begin\nhung up\n");
  return 0;
}
