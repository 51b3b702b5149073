/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With STRICT_PAYLOAD writes have at most LIBNBD_SIZE_PAYLOAD bytes: 32 MiB if
 * the server names no maximum, its maximum otherwise, but between 1 MiB and 64
 * MiB.  Reads are not limited by it.
 * Source: nbd_set_strict_mode(3), nbd_get_block_size(3).
 */
#include "../harness/peer.h"

static char buf[3 * 1024 * 1024];

static void
check_limit (uint32_t maximum, int64_t payload)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE,
                       .size = GIB,
                       .preferred_block = 4096,
                       .minimum_block = maximum ? 1 : 0,
                       .maximum_block = maximum };

  peer_connect (h, &peer);
  CHECK (nbd_get_block_size (h, LIBNBD_SIZE_PAYLOAD) == payload);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "64M", "--block-size",
                                    "1,4096,1048576");

  check_limit (0, 32 * MIB);
  check_limit (4096, MIB);
  check_limit (2 * MIB, 2 * MIB);
  check_limit (128 * MIB, 64 * MIB);
  check_limit (UINT32_MAX, 64 * MIB);

  CHECK (nbd_pwrite (h, buf, MIB, 0, 0) == 0);
  CHECK_ERROR (nbd_pwrite (h, buf, MIB + 1, 0, 0), ERANGE);
  CHECK_EXACT_MESSAGE (with_reason ("nbd_pwrite: request too large: maximum "
                                    "payload size is 1048576",
                                    ERANGE));
  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK & ~LIBNBD_STRICT_PAYLOAD)
         == 0);
  CHECK_ERROR (nbd_pwrite (h, buf, sizeof buf, 0, 0), EINVAL);
  CHECK_MESSAGE ("write: command failed");
  nbd_close (h);
  return 0;
}
