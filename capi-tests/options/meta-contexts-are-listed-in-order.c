/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The requested contexts form a list in the order of addition: duplicates and
 * empty names are kept, an index past the end is EINVAL, and clearing empties
 * it.
 *
 * Source: nbd_add_meta_context(3), nbd_get_nr_meta_contexts(3),
 * nbd_get_meta_context(3), nbd_clear_meta_contexts(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK_NULL (nbd_get_meta_context (h, 0), EINVAL);
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_add_meta_context (h, "qemu:dirty-bitmap:b0") == 0);
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_add_meta_context (h, "") == 0);
  CHECK (nbd_get_nr_meta_contexts (h) == 4);
  CHECK_STRING (nbd_get_meta_context (h, 0), "base:allocation");
  CHECK_STRING (nbd_get_meta_context (h, 1), "qemu:dirty-bitmap:b0");
  CHECK_STRING (nbd_get_meta_context (h, 2), "base:allocation");
  CHECK_STRING (nbd_get_meta_context (h, 3), "");
  CHECK_NULL (nbd_get_meta_context (h, 4), EINVAL);
  CHECK_MESSAGE ("nbd_get_meta_context: ");
  CHECK_NULL (nbd_get_meta_context (h, SIZE_MAX), EINVAL);

  CHECK (nbd_clear_meta_contexts (h) == 0);
  CHECK (nbd_get_nr_meta_contexts (h) == 0);
  CHECK_NULL (nbd_get_meta_context (h, 0), EINVAL);
  CHECK (nbd_clear_meta_contexts (h) == 0);
  nbd_close (h);
  return 0;
}
