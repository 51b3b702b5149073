/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ending option mode notifies the server and closes the connection without
 * waiting for a reply, even if the server is silent or gone.
 * Source: nbd_opt_abort(3), nbd_shutdown(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

static struct nbd_handle *
paused (int *server)
{
  struct nbd_handle *h = in_opt_mode (nbd_create ());

  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_connect_socket (h, scripted_server (GREETING_FIXED, GREETING_SIZE,
                                                 server))
         == 0);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  return h;
}

/* Checks that the client sent its flags and NBD_OPT_ABORT, then end of file. */
static void
check_goodbye (int server)
{
  static const char expected[20] = "\0\0\0\3IHAVEOPT\0\0\0\2\0\0\0";
  char got[32];

  CHECK (recv (server, got, sizeof got, MSG_WAITALL) == sizeof expected);
  CHECK (memcmp (got, expected, sizeof expected) == 0);
  close (server);
}

int
main (void)
{
  struct nbd_handle *h;
  int server;

  h = paused (&server);
  CHECK (nbd_opt_abort (h) == 0);
  CHECK (nbd_aio_is_closed (h) == 1);
  check_goodbye (server);
  nbd_close (h);

  h = paused (&server);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (nbd_aio_is_closed (h) == 1);
  check_goodbye (server);
  nbd_close (h);

  h = paused (&server);
  CHECK (nbd_aio_opt_abort (h) == 0);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, -1) == 1);
  CHECK (nbd_aio_is_closed (h) == 1);
  check_goodbye (server);
  nbd_close (h);
  return 0;
}
