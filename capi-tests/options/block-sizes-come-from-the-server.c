/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The block size constraints are those of the server, 0 if it has none.  The
 * payload limit is the server's maximum, between 1 MiB and 64 MiB.
 *
 * Source: nbd_get_block_size(3), nbd_set_request_block_size(3).
 */
#include "../harness/harness.h"

static void
check (struct nbd_handle *h, int64_t minimum, int64_t preferred,
       int64_t maximum, int64_t payload)
{
  CHECK (nbd_get_block_size (h, LIBNBD_SIZE_MINIMUM) == minimum);
  CHECK (nbd_get_block_size (h, LIBNBD_SIZE_PREFERRED) == preferred);
  CHECK (nbd_get_block_size (h, LIBNBD_SIZE_MAXIMUM) == maximum);
  CHECK (nbd_get_block_size (h, LIBNBD_SIZE_PAYLOAD) == payload);
  CHECK_ERROR (nbd_get_block_size (h, 4), EINVAL);
  CHECK_MESSAGE ("size_type: invalid value for parameter: 4: ");
  CHECK_ERROR (nbd_get_block_size (h, -1), EINVAL);
  nbd_close (h);
}

int
main (void)
{
  const int64_t M = 1 << 20;
  struct nbd_handle *h;

  check (connected ("--size", "1M", "--block-size", "512,4096,4194304"), 512,
         4096, 4 * M, 4 * M);
  check (connected ("--size", "1M", "--block-size", "1,4096,65536"), 1, 4096,
         65536, M);
  check (connected ("--size", "1M", "--block-size", "1,4096,134217728"), 1,
         4096, 128 * M, 64 * M);

  /* Sizes that violate the protocol are ignored. */
  check (connected ("--fault", "info-block-size-bad"), 0, 0, 0, 32 * M);

  /* A server may require the client to request block sizes. */
  h = nbd_create ();
  CHECK (nbd_set_request_block_size (h, false) == 0);
  CHECK_ERROR (nbd_connect_command (h, server_command ("--require-block-size",
                                                       "--block-size",
                                                       "512,4096,1M")),
               EINVAL);
  nbd_close (h);
  check (connected ("--require-block-size", "--block-size", "512,4096,4M"), 512,
         4096, 4 * M, 4 * M);
  return 0;
}
