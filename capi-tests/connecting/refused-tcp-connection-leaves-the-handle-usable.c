/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If no server listens or the name is unknown, connecting over TCP fails with a
 * message that names host and port, and the handle can be used to connect
 * again.
 *
 * Source: nbd_connect_tcp(3), nbd_aio_connect_tcp(3); that the handle stays as
 * created is what the C library does.
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK_ERROR (nbd_connect_tcp (h, "127.0.0.1", "1"), ECONNREFUSED);
  CHECK_MESSAGE ("nbd_connect_tcp: ");
  CHECK_MESSAGE ("127.0.0.1:1");
  CHECK (nbd_aio_is_created (h) == 1);

  /* Resolver errors have no errno. */
  CHECK_ERROR (nbd_connect_tcp (h, "127.0.0.1", "no-such-service"), 0);
  CHECK_MESSAGE ("hostname \"127.0.0.1\" port \"no-such-service\"");
  CHECK_ERROR (nbd_connect_tcp (h, "", "1"), 0);
  CHECK (nbd_aio_is_created (h) == 1);

  CHECK (nbd_connect_command (h, server_command ("--size", "1M")) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  nbd_close (h);

  /* The asynchronous call may report the failure later. */
  h = nbd_create ();
  if (nbd_aio_connect_tcp (h, "127.0.0.1", "1") == 0)
    while (nbd_aio_is_connecting (h) && nbd_poll (h, -1) == 1)
      ;
  CHECK (nbd_get_errno () == ECONNREFUSED);
  CHECK (nbd_aio_is_ready (h) == 0);
  nbd_close (h);
  return 0;
}
