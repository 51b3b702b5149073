/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads and writes above 64 MiB are refused in every strict mode.
 * Source: nbd_pread(3), nbd_set_strict_mode(3).
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1G");
  char *buf = malloc (64 * MIB + 1);

  CHECK (buf != NULL);
  CHECK (nbd_set_strict_mode (h, 0) == 0);
  CHECK_ERROR (nbd_pread (h, buf, 64 * MIB + 1, 0, 0), ERANGE);
  CHECK_EXACT_MESSAGE (with_reason ("nbd_pread: request too large: maximum "
                                    "request size is 67108864",
                                    ERANGE));
  CHECK_ERROR (nbd_pwrite (h, buf, 64 * MIB + 1, 0, 0), ERANGE);
  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK) == 0);
  CHECK_ERROR (nbd_pread (h, buf, 64 * MIB + 1, 0, 0), ERANGE);
  CHECK_ERROR (nbd_pwrite (h, buf, 64 * MIB + 1, 0, 0), ERANGE);
  CHECK_MESSAGE ("request too large");
  CHECK (nbd_aio_is_ready (h) == 1);
  free (buf);
  nbd_close (h);
  return 0;
}
