/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Over TLS too, the client shuts down its side of the socket once, after its
 * close_notify.
 * Source: nbd_shutdown(3), nbd_opt_abort(3); seen with libnbd 1.24.4.
 */
#include "../harness/tls.h"

#include <sys/syscall.h>

static int ends;

/* The library calls this function. */
int
shutdown (int fd, int how)
{
  CHECK (how == SHUT_WR);
  ++ends;
  return syscall (SYS_shutdown, fd, how);
}

int
main (void)
{
  struct nbd_handle *h = configured ();

  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  check_data_flows (h);
  CHECK (ends == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (ends == 1);
  CHECK (nbd_aio_is_closed (h) == 1);
  nbd_close (h);
  CHECK (ends == 1);

  h = in_opt_mode (configured ());
  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  CHECK (nbd_opt_abort (h) == 0);
  CHECK (ends == 2);
  CHECK (nbd_aio_is_closed (h) == 1);
  nbd_close (h);
  CHECK (ends == 2);
  return 0;
}
