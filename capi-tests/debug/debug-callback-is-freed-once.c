/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The debug callback is freed exactly once: when it is replaced, when it is
 * cleared, or when the handle is closed.
 *
 * Source: nbd_set_debug_callback(3), nbd_clear_debug_callback(3); libnbd(3),
 * "Callback lifetimes".
 */
#include "../harness/harness.h"

static int
ignore (void *user_data, const char *context, const char *message)
{
  (void) user_data;
  (void) context;
  (void) message;
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  int freed[3] = { 0, 0, 0 };
  int i;

  CHECK (nbd_clear_debug_callback (h) == 0);
  for (i = 0; i < 3; ++i) {
    CHECK (nbd_set_debug_callback (
               h, (nbd_debug_callback) { .callback = ignore,
                                         .user_data = &freed[i],
                                         .free = count_free })
           == 0);
    CHECK (freed[i] == 0);
    if (i == 1) {
      CHECK (freed[0] == 1);
      CHECK (nbd_clear_debug_callback (h) == 0);
      CHECK (freed[1] == 1);
      CHECK (nbd_clear_debug_callback (h) == 0);
    }
  }
  nbd_close (h);
  CHECK (freed[0] == 1 && freed[1] == 1 && freed[2] == 1);
  return 0;
}
