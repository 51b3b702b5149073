/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The canonical name and the description of an export are requested only with
 * full info; otherwise the getters fail with ENOTSUP.
 *
 * Source: nbd_set_full_info(3), nbd_get_canonical_export_name(3),
 * nbd_get_export_description(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = negotiating ("--export", "root", "--canonical-name",
                                      "disk0", "--description", "system disk",
                                      "--export", "bare");

  CHECK_NULL (nbd_get_canonical_export_name (h), EINVAL);
  CHECK_NULL (nbd_get_export_description (h), EINVAL);

  CHECK (nbd_opt_info (h) == 0);
  CHECK_NULL (nbd_get_canonical_export_name (h), ENOTSUP);
  CHECK_NULL (nbd_get_export_description (h), ENOTSUP);

  CHECK (nbd_set_full_info (h, true) == 0);
  CHECK (nbd_opt_info (h) == 0);
  CHECK_STRING (nbd_get_canonical_export_name (h), "disk0");
  CHECK_STRING (nbd_get_export_description (h), "system disk");

  CHECK (nbd_set_export_name (h, "bare") == 0);
  CHECK (nbd_opt_info (h) == 0);
  CHECK_STRING (nbd_get_canonical_export_name (h), "bare");
  CHECK_NULL (nbd_get_export_description (h), ENOTSUP);

  CHECK (nbd_set_export_name (h, "") == 0);
  CHECK (nbd_opt_go (h) == 0);
  CHECK_STRING (nbd_get_canonical_export_name (h), "disk0");
  CHECK_STRING (nbd_get_export_description (h), "system disk");
  CHECK (nbd_shutdown (h, 0) == 0);

  /* Still available after the connection is closed. */
  CHECK_STRING (nbd_get_export_description (h), "system disk");
  nbd_close (h);
  return 0;
}
