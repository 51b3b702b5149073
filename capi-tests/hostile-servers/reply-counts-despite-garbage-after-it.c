/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call succeeds once its reply has arrived, even if data received together
 * with the reply kills the connection.
 * Source: nbd_pread(3): it fails when the read does; seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .oldstyle = true, .size = 64 * MIB, .flags = 1 };
  char buf[512], data[512 + 16];
  pid_t pid;

  memset (data, 'Z', sizeof data);
  peer_connect (h, &peer);
  pid = fork ();
  CHECK (pid >= 0);
  if (pid == 0) {
    /* The reply, its data, and then garbage, at once. */
    struct request request = peer_request (&peer, NULL);
    struct bytes bytes = { .count = 0 };

    put_simple_reply (&bytes, &request, 0);
    put (&bytes, data, sizeof data);
    peer_bytes (&peer, &bytes);
    _exit (0);
  }
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  for (size_t i = 0; i < sizeof buf; ++i)
    CHECK (buf[i] == 'Z');
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == -1);
  CHECK (waitpid (pid, NULL, 0) == pid);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
