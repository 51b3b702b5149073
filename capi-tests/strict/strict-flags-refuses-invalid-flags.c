/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With STRICT_FLAGS a flag that is invalid for the command is refused. Without
 * it, every flag of 16 bits is sent; larger ones never are.
 * Source: nbd_set_strict_mode(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct request request;
  struct record record = { .result = 0 };
  char buf[512];

  peer_connect (h, &peer);
  CHECK_ERROR (nbd_pread (h, buf, 512, 0, LIBNBD_CMD_FLAG_FUA), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_pread: flags: invalid value for flag: 0x1: "
                       "Invalid argument");
  CHECK_ERROR (nbd_pread (h, buf, 512, 0, LIBNBD_CMD_FLAG_DF), EINVAL);
  CHECK_ERROR (nbd_pread_structured (h, buf, 512, 0, CHUNK (&record),
                                     LIBNBD_CMD_FLAG_FUA),
               EINVAL);
  CHECK_RECORD (record, "m");
  CHECK_ERROR (nbd_pwrite (h, buf, 512, 0, LIBNBD_CMD_FLAG_NO_HOLE), EINVAL);
  CHECK_ERROR (nbd_flush (h, LIBNBD_CMD_FLAG_FUA), EINVAL);
  CHECK_ERROR (nbd_trim (h, 512, 0, LIBNBD_CMD_FLAG_FAST_ZERO), EINVAL);
  CHECK_ERROR (nbd_trim (h, 512, 0, LIBNBD_CMD_FLAG_PAYLOAD_LEN), EINVAL);
  CHECK_ERROR (nbd_cache (h, 512, 0, LIBNBD_CMD_FLAG_FUA), EINVAL);
  CHECK_ERROR (nbd_zero (h, 512, 0, LIBNBD_CMD_FLAG_DF), EINVAL);
  CHECK_ERROR (nbd_aio_disconnect (h, LIBNBD_CMD_FLAG_FUA), EINVAL);
  CHECK_ERROR (nbd_flush (h, LIBNBD_CMD_FLAG_MASK + 1), EINVAL);

  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK & ~LIBNBD_STRICT_FLAGS)
         == 0);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0x8001) > 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_FLUSH && request.flags == 0x8001);
  CHECK_ERROR (nbd_flush (h, 0x10000), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_flush: flags: invalid value for flag: 0x10000: "
                       "Invalid argument");
  CHECK_ERROR (nbd_aio_disconnect (h, 0x10000), EINVAL);
  CHECK (nbd_aio_disconnect (h, 0x8001) == 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_DISC && request.flags == 0x8001);
  CHECK (request.offset == 0 && request.length == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
