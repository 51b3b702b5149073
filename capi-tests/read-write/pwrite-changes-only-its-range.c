/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Written data is read back, and the bytes around it are unchanged.
 * Source: nbd_pwrite(3).
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");
  char written[1001], got[1003];

  memset (written, 'w', sizeof written);
  CHECK (nbd_pwrite (h, written, sizeof written, 4000, 0) == 0);
  CHECK (nbd_pwrite (h, "x", 1, 4500, LIBNBD_CMD_FLAG_FUA) == 0);
  written[500] = 'x';
  memset (got, 'g', sizeof got);
  CHECK (nbd_pread (h, got, sizeof got, 3999, 0) == 0);
  CHECK (got[0] == 0 && got[sizeof got - 1] == 0);
  CHECK (memcmp (got + 1, written, sizeof written) == 0);
  nbd_close (h);
  return 0;
}
