/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With STRICT_ZERO_SIZE an empty request is refused with EINVAL.  Without it,
 * it is sent, at any offset up to the end of the export.
 * Source: nbd_set_strict_mode(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED, .contexts = 1 };
  struct request request;
  struct record record = { .result = 0 };
  uint64_t sent;
  char byte;

  peer_connect (h, &peer);
  sent = nbd_stats_bytes_sent (h);
  CHECK_ERROR (nbd_pread (h, &byte, 0, 0, 0), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_pread: count cannot be 0: Invalid argument");
  CHECK_ERROR (nbd_pread (h, &byte, 0, 2 * MIB, 0), EINVAL);
  CHECK_MESSAGE ("count cannot be 0");
  CHECK_ERROR (nbd_pwrite (h, &byte, 0, 0, 0), EINVAL);
  CHECK_ERROR (nbd_trim (h, 0, 0, 0), EINVAL);
  CHECK_ERROR (nbd_zero (h, 0, 0, 0), EINVAL);
  CHECK_ERROR (nbd_cache (h, 0, 0, 0), EINVAL);
  CHECK_ERROR (nbd_block_status (h, 0, 0, EXTENT (&record), 0), EINVAL);
  CHECK (nbd_stats_bytes_sent (h) == sent);

  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK & ~LIBNBD_STRICT_ZERO_SIZE)
         == 0);
  CHECK (nbd_aio_trim (h, 0, MIB, COMPLETION (&record), 0) > 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_TRIM);
  CHECK (request.offset == MIB && request.length == 0);
  peer_success (&peer, &request);
  wait_for_all (h);
  CHECK_RECORD (record, "mC");
  CHECK_ERROR (nbd_trim (h, 0, MIB + 1, 0), ENOSPC);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
