/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The DF flag requests a reply in one piece; a server that cannot send one
 * replies EOVERFLOW.
 * Source: nbd_pread_structured(3); proto.md, NBD_CMD_FLAG_DF.
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M", "--read-chunks", "512",
                                    "--df-limit", "64k");
  static char buf[128 * 1024];
  struct record record = { .result = 0 };

  CHECK (nbd_can_df (h) == 1);
  CHECK (nbd_pwrite (h, "data", 4, 8192, 0) == 0);
  CHECK (nbd_pread_structured (h, buf, 64 * 1024, 0, CHUNK (&record),
                               LIBNBD_CMD_FLAG_DF)
         == 0);
  CHECK_RECORD (record, "Mm");
  CHECK (memcmp (buf + 8192, "data", 4) == 0);
  CHECK_ERROR (nbd_pread_structured (h, buf, sizeof buf, 0, CHUNK (&record),
                                     LIBNBD_CMD_FLAG_DF),
               EOVERFLOW);
  CHECK_RECORD (record, "Mmm");
  nbd_close (h);
  return 0;
}
