/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With STRICT_BOUNDS a request past the end of the export is not sent: EINVAL
 * for commands that read, ENOSPC for those that write.  Without it the server
 * decides.
 * Source: nbd_set_strict_mode(3).
 */
#include "../harness/commands.h"

#define LAST (MIB - 512)

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  static char buf[1024];
  struct record record = { .result = 0 };
  uint64_t sent;

  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  sent = nbd_stats_bytes_sent (h);
  CHECK_ERROR (nbd_pread (h, buf, 513, LAST, 0), EINVAL);
  CHECK_EXACT_MESSAGE ("nbd_pread: request out of bounds: Invalid argument");
  CHECK_ERROR (nbd_pread (h, buf, 1, UINT64_MAX, 0), EINVAL);
  CHECK_ERROR (nbd_pread (h, buf, 512, UINT64_MAX - 511, 0), EINVAL);
  CHECK_ERROR (nbd_pread (h, buf, 1, UINT64_C (1) << 63, 0), EINVAL);
  CHECK_ERROR (nbd_pwrite (h, buf, 513, LAST, 0), ENOSPC);
  CHECK_EXACT_MESSAGE ("nbd_pwrite: request out of bounds: "
                       "No space left on device");
  CHECK_ERROR (nbd_trim (h, 513, LAST, 0), ENOSPC);
  CHECK_ERROR (nbd_trim (h, UINT64_MAX, 1, 0), ENOSPC);
  CHECK_ERROR (nbd_zero (h, 513, LAST, 0), ENOSPC);
  CHECK_ERROR (nbd_cache (h, 513, LAST, 0), EINVAL);
  CHECK_ERROR (nbd_block_status (h, 513, LAST, EXTENT (&record), 0), EINVAL);
  CHECK_ERROR (nbd_block_status_64 (h, 513, LAST, EXTENT64 (&record), 0),
               EINVAL);
  CHECK_RECORD (record, "mm");
  CHECK (nbd_stats_bytes_sent (h) == sent);
  CHECK (nbd_pread (h, buf, 512, LAST, 0) == 0);

  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK & ~LIBNBD_STRICT_BOUNDS)
         == 0);
  sent = nbd_stats_bytes_sent (h);
  CHECK_ERROR (nbd_pread (h, buf, 513, LAST, 0), EINVAL);
  CHECK_MESSAGE ("read: command failed");
  CHECK_ERROR (nbd_pwrite (h, buf, 513, LAST, 0), ENOSPC);
  CHECK_MESSAGE ("write: command failed");
  CHECK (nbd_stats_bytes_sent (h) > sent);
  nbd_close (h);
  return 0;
}
