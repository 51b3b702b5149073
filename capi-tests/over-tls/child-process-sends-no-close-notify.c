/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A child process that closes its copy of a handle sends nothing over TLS: the
 * session continues in its parent.
 *
 * Source: fork(2), which gives both the same connection; RFC 8446, section 5.3 (a
 * record has its number in the sequence).
 */
#include "../harness/tls.h"

int
main (void)
{
  struct nbd_handle *h = configured ();
  char data[512];

  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  for (int i = 0; i < 3; ++i) {
    int status;
    pid_t pid = fork ();

    CHECK (pid >= 0);
    if (pid == 0) {
      nbd_close (h);
      _exit (0);
    }
    CHECK (waitpid (pid, &status, 0) == pid);
    CHECK (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    memset (data, 'a' + i, sizeof data);
    CHECK (nbd_pwrite (h, data, sizeof data, 0, 0) == 0);
    memset (data, 0, sizeof data);
    CHECK (nbd_pread (h, data, sizeof data, 0, 0) == 0);
    CHECK (data[511] == 'a' + i);
  }
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
