/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If a process of the server still has standard error open when the handle is
 * closed, nbd_close does not wait for it, and what it writes later is passed on,
 * too.
 *
 * Source: nbd_ext_set_capture_stderr(3).
 */
#include "../harness/server-messages.h"

int
main (void)
{
  struct nbd_handle *h = capturing ();
  int gate[2];
  char script[128];

  redirect_stderr ();
  /* The daemon waits for the end of the pipe. */
  CHECK (pipe (gate) == 0);
  CHECK (fcntl (gate[1], F_SETFD, FD_CLOEXEC) == 0);
  snprintf (script, sizeof script,
            "(exec <&%d >/dev/null; read x; echo later >&2) & "
            "echo now >&2; exit 1",
            gate[0]);
  CHECK (nbd_connect_command (h, shell_command (script)) == -1);
  CHECK_STRING (nbd_ext_get_error_detail (h), "now");
  nbd_close (h);
  check_stderr ("now\n");
  /* No process of the library is left. */
  CHECK (waitpid (-1, NULL, __WALL) == -1 && errno == ECHILD);

  CHECK (close (gate[1]) == 0 && close (gate[0]) == 0);
  wait_for_stderr (6);
  check_stderr ("later\n");
  return 0;
}
