/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The text of an error is the function that was called, the problem, and the
 * system's description of the errno.  Without a suitable errno, the errno is 0
 * and the last part is missing.
 *
 * Source: libnbd(3), "Error handling".
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  const char *suffix;
  const char *text;
  int server;

  CHECK_ERROR (nbd_connect_unix (h, "/nonexistent/socket"), ENOENT);
  text = nbd_get_error ();
  CHECK (strncmp (text, "nbd_connect_unix: ", 18) == 0);
  suffix = ": No such file or directory";
  CHECK (strlen (text) > strlen (suffix));
  CHECK (strcmp (text + strlen (text) - strlen (suffix), suffix) == 0);
  nbd_close (h);

  /* End of file is not a failed system call. */
  h = nbd_create ();
  int sock = scripted_server ("NBDM", 4, &server);
  CHECK (shutdown (server, SHUT_WR) == 0);
  CHECK_ERROR (nbd_connect_socket (h, sock), 0);
  CHECK_MESSAGE ("nbd_connect_socket: recv: server disconnected unexpectedly");
  close (server);
  nbd_close (h);
  return 0;
}
