/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With STRICT_COMMANDS a command or flag that the server did not announce is
 * refused.  Without it, it is sent.
 * Source: nbd_set_strict_mode(3).
 */
#include "../harness/peer.h"

static void
refused (struct nbd_handle *h)
{
  char buf[512];
  struct record record = { .result = 0 };

  CHECK_ERROR (nbd_flush (h, 0), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_flush: server does not support flush operations: "
                       "Invalid argument");
  CHECK_ERROR (nbd_trim (h, 512, 0, 0), EINVAL);
  CHECK_MESSAGE ("server does not support trim operations");
  CHECK_ERROR (nbd_zero (h, 512, 0, 0), EINVAL);
  CHECK_MESSAGE ("server does not support zero operations");
  CHECK_ERROR (nbd_cache (h, 512, 0, 0), EINVAL);
  CHECK_MESSAGE ("server does not support cache operations");
  CHECK_ERROR (nbd_pwrite (h, buf, 512, 0, LIBNBD_CMD_FLAG_FUA), EINVAL);
  CHECK_MESSAGE ("server does not support the FUA flag");
  CHECK_ERROR (nbd_pread_structured (h, buf, 512, 0, CHUNK (&record),
                                     LIBNBD_CMD_FLAG_DF),
               EINVAL);
  CHECK_MESSAGE ("server does not support the DF flag");
  CHECK_RECORD (record, "m");
  CHECK_ERROR (nbd_aio_flush (h, COMPLETION (&record), 0), EINVAL);
  CHECK_RECORD (record, "mc");
}

static void
sent (struct nbd_handle *h, struct peer *peer, int64_t cookie, uint16_t type,
      uint16_t flags)
{
  struct request request;

  CHECK (cookie > 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (peer, NULL);
  CHECK (request.type == type && request.flags == flags);
  peer_success (peer, &request);
  CHECK (wait_for (h, cookie) == 1);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE, .flags = NBD_FLAG_HAS_FLAGS };
  nbd_completion_callback none = NBD_NULL_COMPLETION;

  peer_connect (h, &peer);
  refused (h);
  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK & ~LIBNBD_STRICT_COMMANDS)
         == 0);
  sent (h, &peer, nbd_aio_flush (h, none, 0), NBD_CMD_FLUSH, 0);
  sent (h, &peer, nbd_aio_trim (h, 512, 0, none, LIBNBD_CMD_FLAG_FUA),
        NBD_CMD_TRIM, LIBNBD_CMD_FLAG_FUA);
  sent (h, &peer, nbd_aio_cache (h, 512, 0, none, 0), NBD_CMD_CACHE, 0);
  sent (h, &peer, nbd_aio_zero (h, 512, 0, none, LIBNBD_CMD_FLAG_FAST_ZERO),
        NBD_CMD_WRITE_ZEROES, LIBNBD_CMD_FLAG_FAST_ZERO);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
