/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If several things are wrong with a call, the error reported is always the
 * same: the state of the handle, then NULL parameters, flags, features that the
 * server lacks, an empty request, the bounds, the alignment, the size.
 * Source: seen with libnbd 1.24.4; programs show these messages to users.
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED,
                       .minimum_block = 512,
                       .preferred_block = 512,
                       .maximum_block = MIB,
                       .flags = NBD_FLAG_HAS_FLAGS | NBD_FLAG_READ_ONLY
                                | NBD_FLAG_SEND_TRIM,
                       .contexts = 1 };
  static char buf[2 * 1024 * 1024];

  CHECK_ERROR (nbd_pwrite (h, buf, 0, 1, 0xffffffff), ENOTCONN);
  CHECK_MESSAGE ("invalid state: START: the handle must be connected");
  peer_connect (h, &peer);
  CHECK_ERROR (nbd_block_status (h, 0, 3 * MIB,
                                 (nbd_extent_callback) { .callback = NULL }, 1),
               EFAULT);
  CHECK_MESSAGE ("extent cannot be NULL");
  CHECK_ERROR (nbd_pwrite (h, buf, 0, 3 * MIB, LIBNBD_CMD_FLAG_DF), EINVAL);
  CHECK_MESSAGE ("invalid value for flag: 0x4");
  CHECK_ERROR (nbd_pwrite (h, buf, 0, 3 * MIB, LIBNBD_CMD_FLAG_FUA), EPERM);
  CHECK_MESSAGE ("server does not support write operations");
  CHECK_ERROR (nbd_trim (h, 0, 3 * MIB, LIBNBD_CMD_FLAG_FUA), EPERM);
  CHECK_MESSAGE ("server does not support write operations");
  CHECK_ERROR (nbd_pread (h, buf, 0, 3 * MIB, 0), EINVAL);
  CHECK_MESSAGE ("count cannot be 0");
  CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 1, 0), EINVAL);
  CHECK_MESSAGE ("request out of bounds");
  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_ALIGN | LIBNBD_STRICT_PAYLOAD)
         == 0);
  CHECK_ERROR (nbd_pwrite (h, buf, sizeof buf, 1, 0), EINVAL);
  CHECK_MESSAGE ("request is unaligned");
  CHECK_ERROR (nbd_pwrite (h, buf, sizeof buf, 0, 0), ERANGE);
  CHECK_MESSAGE ("request too large");
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
