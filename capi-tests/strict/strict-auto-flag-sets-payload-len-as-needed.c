/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PAYLOAD_LEN is set on writes exactly if extended headers are in use, even if
 * the caller passes the opposite.  Without STRICT_AUTO_FLAG the caller decides,
 * and STRICT_COMMANDS refuses the wrong choice.
 * Source: nbd_set_strict_mode(3), nbd_pwrite(3).
 */
#include "../harness/peer.h"

static void
write_with (enum replies replies, uint16_t right)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = replies };
  struct request request;
  char got[4];

  peer_connect (h, &peer);
  for (uint32_t flags = 0; flags <= LIBNBD_CMD_FLAG_PAYLOAD_LEN;
       flags += LIBNBD_CMD_FLAG_PAYLOAD_LEN) {
    CHECK (nbd_aio_pwrite (h, "data", 4, 512, NBD_NULL_COMPLETION, flags) > 0);
    CHECK (nbd_poll (h, 0) == 0);
    request = peer_request (&peer, got);
    CHECK (request.flags == right);
    CHECK (request.offset == 512 && request.length == 4);
    CHECK (memcmp (got, "data", 4) == 0);
    peer_success (&peer, &request);
    wait_for_all (h);
  }
  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK & ~LIBNBD_STRICT_AUTO_FLAG)
         == 0);
  CHECK_ERROR (nbd_pwrite (h, "data", 4, 512,
                           right ^ LIBNBD_CMD_FLAG_PAYLOAD_LEN),
               EINVAL);
  CHECK_MESSAGE ("incorrect setting for PAYLOAD_LEN flag");
  CHECK (nbd_aio_pwrite (h, "data", 4, 512, NBD_NULL_COMPLETION, right) > 0);
  CHECK (nbd_poll (h, 0) == 0);
  CHECK (peer_request (&peer, got).flags == right);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  write_with (SIMPLE, 0);
  write_with (STRUCTURED, 0);
  write_with (EXTENDED, LIBNBD_CMD_FLAG_PAYLOAD_LEN);
  return 0;
}
