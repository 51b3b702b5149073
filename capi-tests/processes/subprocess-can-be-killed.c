/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program can send a signal to the server that a handle runs, SIGTERM by
 * default. Afterwards the connection is dead.
 *
 * Source: nbd_kill_subprocess(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  char byte;

  CHECK_ERROR (nbd_kill_subprocess (h, SIGTERM), ESRCH);
  CHECK_ERROR (nbd_get_subprocess_pid (h), ESRCH);
  connect_handle (h, server_command ("--size", "1M"));
  CHECK_ERROR (nbd_kill_subprocess (h, -1), EINVAL);
  CHECK_ERROR (nbd_kill_subprocess (h, 9999), EINVAL);
  CHECK (nbd_pread (h, &byte, 1, 0, 0) == 0);

  CHECK (nbd_kill_subprocess (h, 0) == 0);
  while (nbd_aio_is_ready (h) && nbd_pread (h, &byte, 1, 0, 0) == 0)
    ;
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (nbd_get_subprocess_pid (h) > 0);
  nbd_close (h);

  h = connected ("--size", "1M");
  CHECK (nbd_kill_subprocess (h, SIGKILL) == 0);
  nbd_close (h);
  CHECK (waitpid (-1, NULL, WNOHANG) == -1 && errno == ECHILD);
  return 0;
}
