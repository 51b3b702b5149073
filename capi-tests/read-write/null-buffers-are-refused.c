/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A NULL buffer is refused with EFAULT and the closures of the call are freed.
 * Stricter than libnbd 1.24.4, which crashes when it clears the buffer of a
 * read.
 * Source: libnbd(3), "Non-NULL parameters".
 */
#define LIBNBD_ATTRIBUTE_NONNULL(...)
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");
  struct record record = { .result = 0 };

  CHECK_ERROR (nbd_pread (h, NULL, 512, 0, 0), EFAULT);
  CHECK_EXACT_MESSAGE ("nbd_pread: buf cannot be NULL: Bad address");
  CHECK_ERROR (nbd_pread_structured (h, NULL, 512, 0, CHUNK (&record), 0),
               EFAULT);
  CHECK_RECORD (record, "m");
  CHECK_ERROR (nbd_pwrite (h, NULL, 512, 0, 0), EFAULT);
  CHECK_EXACT_MESSAGE ("nbd_pwrite: buf cannot be NULL: Bad address");
  CHECK_ERROR (nbd_aio_pread (h, NULL, 512, 0, COMPLETION (&record), 0),
               EFAULT);
  CHECK_RECORD (record, "mc");
  CHECK_ERROR (nbd_aio_pread_structured (h, NULL, 512, 0, CHUNK (&record),
                                         COMPLETION (&record), 0),
               EFAULT);
  CHECK_RECORD (record, "mcmc");
  CHECK_ERROR (nbd_aio_pwrite (h, NULL, 512, 0, COMPLETION (&record), 0),
               EFAULT);
  CHECK_RECORD (record, "mcmcc");
  CHECK_ERROR (nbd_block_status_filter (h, 512, 0, NULL, EXTENT64 (&record), 0),
               EFAULT);
  CHECK_RECORD (record, "mcmccm");
  CHECK (nbd_flush (h, 0) == 0);
  nbd_close (h);
  return 0;
}
