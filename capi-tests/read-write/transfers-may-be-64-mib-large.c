/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The largest write and the largest read are sent as one request each.
 * Source: nbd_pread(3), nbd_pwrite(3).
 */
#include "../harness/commands.h"

#define SIZE (64 * MIB)

static void
transfer (struct nbd_handle *h)
{
  uint64_t *out = malloc (SIZE), *in = malloc (SIZE);

  CHECK (out != NULL && in != NULL);
  for (size_t i = 0; i < SIZE / 8; ++i)
    out[i] = i * UINT64_C (0x9e3779b97f4a7c15) + 1;
  CHECK (nbd_pwrite (h, out, 32 * MIB, 0, 0) == 0);
  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK & ~LIBNBD_STRICT_PAYLOAD)
         == 0);
  CHECK (nbd_pwrite (h, out, SIZE, 4096, 0) == 0);
  CHECK (nbd_pread (h, in, SIZE, 4096, 0) == 0);
  CHECK (memcmp (in, out, SIZE) == 0);
  free (in);
  free (out);
  nbd_close (h);
}

int
main (void)
{
  transfer (connected ("--size", "65M"));
  transfer (connected ("--size", "65M", "--no-structured-replies"));
  return 0;
}
