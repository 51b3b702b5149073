/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With STRICT_ALIGN requests must be aligned to the server's minimum block
 * size, except that the last one may end with the export.  Without it they are
 * sent unchecked.
 * Source: nbd_set_strict_mode(3).
 */
#include "../harness/peer.h"

#define END (MIB + 5)

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE,
                       .size = END,
                       .minimum_block = 512,
                       .preferred_block = 4096,
                       .maximum_block = 33554432 };
  struct request request;
  char buf[1024];

  peer_connect (h, &peer);
  CHECK (nbd_get_block_size (h, LIBNBD_SIZE_MINIMUM) == 512);
  CHECK_ERROR (nbd_pread (h, buf, 512, 1, 0), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_pread: request is unaligned: Invalid argument");
  CHECK_ERROR (nbd_pread (h, buf, 1, 0, 0), EINVAL);
  CHECK_ERROR (nbd_pread (h, buf, 4, MIB + 1, 0), EINVAL);
  CHECK_ERROR (nbd_pwrite (h, buf, 511, 0, 0), EINVAL);
  CHECK_ERROR (nbd_trim (h, 513, 0, 0), EINVAL);
  CHECK_ERROR (nbd_zero (h, 512, 256, 0), EINVAL);
  CHECK_ERROR (nbd_cache (h, 1, 0, 0), EINVAL);
  CHECK_MESSAGE ("request is unaligned");

  CHECK (nbd_aio_trim (h, 517, MIB - 512, NBD_NULL_COMPLETION, 0) > 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  CHECK (request.offset == MIB - 512 && request.length == 517);
  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK & ~LIBNBD_STRICT_ALIGN)
         == 0);
  CHECK (nbd_aio_trim (h, 3, 1, NBD_NULL_COMPLETION, 0) > 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  CHECK (request.offset == 1 && request.length == 3);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
