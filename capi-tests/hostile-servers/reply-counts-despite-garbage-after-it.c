/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call succeeds once its reply has arrived, even if data received together
 * with the reply kills the connection.
 * Source: nbd_pread(3): it fails when the read does; seen with libnbd 1.24.4.
 */
#include "../harness/commands.h"

/* An oldstyle server of 64 MiB. */
static const unsigned char oldstyle[152] = {
  'N',  'B',  'D', 'M', 'A', 'G', 'I', 'C', 0, 0, 0x42, 0x02, 0x81, 0x86,
  0x12, 0x53, 0,   0,   0,   0,   4,   0,   0, 0, 0,    0,    0,    1,
};

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  /* The reply to the first command, its data, and then garbage. */
  unsigned char bytes[16 + 512 + 16] = {
    0x67, 0x44, 0x66, 0x98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
  };
  char buf[512];
  int server;
  pid_t pid;

  memset (bytes + 16, 'Z', 512 + 16);
  CHECK (nbd_connect_socket (h, scripted_server (oldstyle, sizeof oldstyle,
                                                 &server))
         == 0);
  pid = fork ();
  CHECK (pid >= 0);
  if (pid == 0) {
    char request[28];

    if (recv (server, request, sizeof request, MSG_WAITALL) != sizeof request
        || write (server, bytes, sizeof bytes) != sizeof bytes)
      _exit (1);
    _exit (0);
  }
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  for (size_t i = 0; i < sizeof buf; ++i)
    CHECK (buf[i] == 'Z');
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == -1);
  CHECK (waitpid (pid, NULL, 0) == pid);
  nbd_close (h);
  close (server);
  return 0;
}
