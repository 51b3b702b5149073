/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_shutdown disconnects and returns when the connection is closed;
 * afterwards all calls that need a connection are refused, also a second
 * shutdown.
 * Source: nbd_shutdown(3).
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct record record = { .result = 0 };
  char byte;

  CHECK_ERROR (nbd_shutdown (h, 0), ENOTCONN);
  connect_handle (h, server_command ("--size", "1M"));
  CHECK_ERROR (nbd_shutdown (h, 1), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_shutdown: flags: invalid value for flag: 0x1: "
                       "Invalid argument");
  CHECK_ERROR (nbd_shutdown (h, LIBNBD_SHUTDOWN_MASK | 0x20000), EINVAL);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (nbd_aio_is_closed (h) == 1);
  CHECK (nbd_aio_is_dead (h) == 0 && nbd_aio_is_ready (h) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK_ERROR (nbd_pread (h, &byte, 1, 0, 0), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_pread: invalid state: CLOSED: the handle must be "
                       "connected with the server: Invalid argument");
  CHECK_ERROR (nbd_aio_flush (h, COMPLETION (&record), 0), EINVAL);
  CHECK_RECORD (record, "c");
  CHECK_ERROR (nbd_shutdown (h, 0), EINVAL);
  CHECK_ERROR (nbd_aio_disconnect (h, 0), EINVAL);
  CHECK (nbd_get_size (h) == (int64_t) MIB);
  nbd_close (h);
  return 0;
}
