/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When the server is killed, commands in flight and later ones fail instead of
 * hanging, even if the socket was full of writes, and no SIGPIPE is raised.
 * Source: nbd_aio_is_dead(3), libnbd(3), "Signals and file descriptors".
 */
#include "../harness/commands.h"

static char data[1024 * 1024];

int
main (void)
{
  const char *path = server_start ("--size", "64M", "--stall-after", "200");
  struct nbd_handle *h = nbd_create ();
  struct record records[8] = { { .result = 0 } };

  CHECK (signal (SIGPIPE, SIG_DFL) != SIG_ERR);
  CHECK (nbd_connect_unix (h, path) == 0);
  for (int i = 0; i < 8; ++i)
    CHECK (nbd_aio_pwrite (h, data, sizeof data, i * sizeof data,
                           COMPLETION (&records[i]), 0)
           == i + 1);
  for (int i = 0; i < 4; ++i)
    CHECK (nbd_poll (h, 20) >= 0);
  CHECK (kill (server_pid, SIGKILL) == 0);
  CHECK (waitpid (server_pid, NULL, 0) == server_pid);
  server_pid = 0;
  while (nbd_aio_in_flight (h) > 0)
    if (nbd_poll (h, LONG_ENOUGH) != 1)
      break;
  CHECK (nbd_aio_is_dead (h) == 1 || nbd_aio_is_closed (h) == 1);
  CHECK (nbd_aio_in_flight (h) == 0);
  for (int i = 0; i < 8; ++i) {
    int r = nbd_aio_command_completed (h, i + 1);

    CHECK (r == 1 || (r == -1 && nbd_get_errno () == ENOTCONN));
    CHECK_RECORD (records[i], "Cc");
  }
  CHECK (records[7].error == ENOTCONN);
  CHECK (nbd_flush (h, 0) == -1);
  nbd_close (h);
  return 0;
}
