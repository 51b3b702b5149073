/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Synchronous calls on a connection that the server has closed report the lost
 * connection: the first one its cause, and each one ENOTCONN or the errno of
 * the socket, never an error of the caller.
 * Source: nbd_flush(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-bursts.h"

int
main (void)
{
  struct peer peer;
  struct nbd_handle *h = busy_handle (&peer);
  int errnum;

  issue_flush (h);
  expect_requests (&peer, 1);
  peer_close (&peer);
  CHECK (nbd_flush (h, 0) == -1);
  errnum = nbd_get_errno ();
  CHECK (errnum == ENOTCONN || errnum == EPIPE || errnum == ECONNRESET);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  return 0;
}
