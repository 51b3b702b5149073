/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program can query one export and open another. A change of the name
 * discards the information; setting the same name again does not.
 *
 * Source: nbd_opt_info(3), nbd_opt_go(3), nbd_set_export_name(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = negotiating ("--export", "small", "--size", "1M",
                                      "--read-only", "--export", "large",
                                      "--size", "2M");

  CHECK (nbd_set_export_name (h, "small") == 0);
  CHECK_ERROR (nbd_get_size (h), EINVAL);
  CHECK_ERROR (nbd_is_read_only (h), EINVAL);
  CHECK_ERROR (nbd_get_block_size (h, LIBNBD_SIZE_MINIMUM), EINVAL);
  CHECK (nbd_opt_info (h) == 0);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (nbd_get_size (h) == 1 << 20);
  CHECK (nbd_is_read_only (h) == 1);

  CHECK (nbd_set_export_name (h, "small") == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  CHECK (nbd_set_export_name (h, "large") == 0);
  CHECK_ERROR (nbd_get_size (h), EINVAL);
  CHECK_ERROR (nbd_is_read_only (h), EINVAL);

  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_get_size (h) == 2 << 20);
  CHECK (nbd_is_read_only (h) == 0);
  CHECK_STRING (nbd_get_export_name (h), "large");
  CHECK_ERROR (nbd_set_export_name (h, "small"), EINVAL);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
