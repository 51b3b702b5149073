/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server that stops during the handshake leaves the handle connecting;
 * nbd_poll returns 0 and nbd_close does not wait.
 * Source: nbd_poll(3), nbd_aio_is_connecting(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *silent = nbd_create ();

  for (size_t n = 0; n <= GREETING_SIZE; ++n) {
    struct nbd_handle *h = nbd_create ();
    int server, client = scripted_server (GREETING_FIXED, n, &server);

    CHECK (nbd_aio_connect_socket (h, client) == 0);
    handle_arrivals (h);
    CHECK (nbd_aio_is_connecting (h) == 1);
    CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
    CHECK (nbd_poll (h, 1) == 0);
    nbd_close (h);
    CHECK (close (server) == 0);
  }

  /* Silent after the first option. */
  CHECK (nbd_aio_connect_command (silent,
                                  server_command ("--fault", "option-silence"))
         == 0);
  while (nbd_poll (silent, 200) == 1)
    ;
  CHECK (nbd_aio_is_connecting (silent) == 1);
  CHECK (nbd_poll (silent, 0) == 0);
  nbd_close (silent);
  return 0;
}
