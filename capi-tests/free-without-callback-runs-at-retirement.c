/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A completion without a callback but with a free function is freed when the
 * command is retired.
 * Source: libnbd(3) "Callbacks with .callback=NULL and .free!=NULL".
 */
#include "harness-commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");
  int freed = 0;
  nbd_completion_callback only_free = { .callback = NULL };
  int64_t cookie;

  only_free.user_data = &freed;
  only_free.free = count_free;
  cookie = nbd_aio_flush (h, only_free, 0);
  CHECK (freed == 0);
  CHECK (wait_for (h, cookie) == 1);
  CHECK (freed == 1);
  cookie = nbd_aio_flush (h, only_free, 0);
  CHECK (cookie > 0);
  nbd_close (h);
  CHECK (freed == 2);
  return 0;
}
