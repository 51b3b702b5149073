/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server that cannot be executed writes the reason to standard error; for the
 * program, the connection ends.
 * Source: nbd_connect_command(3), nbd_connect_systemd_socket_activation(3);
 * seen with libnbd 1.24.4.
 */
#include "../harness/harness.h"

static void
run (int (*connect) (struct nbd_handle *, char **), int expected)
{
  char *argv[] = { "/nonexistent/server", "--option", NULL };
  const char reason[] = "/nonexistent/server: No such file or directory\n";
  struct nbd_handle *h = nbd_create ();
  int saved = dup (STDERR_FILENO), said[2];
  char text[256];
  ssize_t r;

  CHECK (h != NULL);
  CHECK (pipe2 (said, O_CLOEXEC) == 0);
  CHECK (dup2 (said[1], STDERR_FILENO) >= 0);
  CHECK (close (said[1]) == 0);
  r = connect (h, argv);
  CHECK (dup2 (saved, STDERR_FILENO) >= 0);
  CHECK (close (saved) == 0);
  CHECK_ERROR (r, expected);
  CHECK_MESSAGE (": recv: ");
  CHECK (nbd_aio_is_dead (h) == 1);

  CHECK (read (said[0], text, sizeof text) == (ssize_t) strlen (reason));
  CHECK (strncmp (text, reason, strlen (reason)) == 0);
  close (said[0]);
  nbd_close (h);
}

int
main (void)
{
  run (nbd_connect_command, 0);
  run (nbd_connect_systemd_socket_activation, ECONNRESET);
  return 0;
}
