/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A refused call uses no cookie: the next command has the next cookie.
 * Source: seen with libnbd 1.24.4: cookies count from 1.
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");

  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 1);
  CHECK_ERROR (nbd_aio_flush (h, NBD_NULL_COMPLETION, 1), EINVAL);
  CHECK_ERROR (nbd_aio_trim (h, 1, MIB, NBD_NULL_COMPLETION, 0), ENOSPC);
  CHECK (nbd_flush (h, 0) == 0);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 3);
  nbd_close (h);
  return 0;
}
