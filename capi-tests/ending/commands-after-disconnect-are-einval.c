/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After NBD_CMD_DISC a command with any range fails with EINVAL, but features
 * that the server does not offer are checked first.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

#define TOO_LATE "cannot request more commands after NBD_CMD_DISC"

int
main (void)
{
  static char buf[512];
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE,
                       .flags = EVERY_FLAG & ~NBD_FLAG_SEND_TRIM };

  peer_connect (h, &peer);
  CHECK (nbd_aio_disconnect (h, 0) == 0);
  CHECK_ERROR (nbd_pwrite (h, buf, sizeof buf, MIB, 0), EINVAL);
  CHECK_MESSAGE (TOO_LATE);
  CHECK_ERROR (nbd_pread (h, buf, 0, 0, 0), EINVAL);
  CHECK_MESSAGE (TOO_LATE);
  CHECK_ERROR (nbd_zero (h, 512, MIB, 0), EINVAL);
  CHECK_MESSAGE (TOO_LATE);
  CHECK_ERROR (nbd_trim (h, 512, 0, 0), EINVAL);
  CHECK_MESSAGE ("server does not support trim operations");
  CHECK_ERROR (nbd_pwrite (h, buf, sizeof buf, 0, 4), EINVAL);
  CHECK_MESSAGE ("invalid value for flag");
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
