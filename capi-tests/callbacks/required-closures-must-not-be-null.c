/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A mandatory callback is refused as NULL if it has neither a callback nor a
 * free function; with only the latter it is never called, but freed.
 *
 * Source: libnbd(3), "Non-NULL parameters" and "Callback lifetimes".
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  char byte;
  int freed = 0;

  CHECK_ERROR (
      nbd_set_debug_callback (h, (nbd_debug_callback) { .callback = NULL }),
      EFAULT);
  CHECK_MESSAGE ("nbd_set_debug_callback: debug cannot be NULL: ");
  CHECK (nbd_set_debug_callback (h, (nbd_debug_callback) { .user_data = &freed,
                                                           .free = count_free })
         == 0);
  CHECK (nbd_clear_debug_callback (h) == 0);
  CHECK (freed == 1);

  connect_handle (in_opt_mode (h), server_command ("--size", "1M"));
  CHECK_ERROR (nbd_opt_list (h, (nbd_list_callback) { .callback = NULL }),
               EFAULT);
  CHECK_MESSAGE ("nbd_opt_list: list cannot be NULL: ");
  CHECK_ERROR (nbd_opt_list_meta_context (
                   h, (nbd_context_callback) { .callback = NULL }),
               EFAULT);
  CHECK_MESSAGE ("nbd_opt_list_meta_context: context cannot be NULL: ");
  CHECK (nbd_opt_list_meta_context (
             h,
             (nbd_context_callback) { .user_data = &freed, .free = count_free })
         == 1);
  CHECK (freed == 2);

  CHECK (nbd_opt_go (h) == 0);
  CHECK_ERROR (nbd_pread_structured (h, &byte, 1, 0,
                                     (nbd_chunk_callback) { .callback = NULL },
                                     0),
               EFAULT);
  CHECK_MESSAGE ("nbd_pread_structured: chunk cannot be NULL: ");
  CHECK (nbd_pread_structured (h, &byte, 1, 0,
                               (nbd_chunk_callback) { .user_data = &freed,
                                                      .free = count_free },
                               0)
         == 0);
  CHECK (freed == 3);
  nbd_close (h);
  return 0;
}
