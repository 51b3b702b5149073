/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An export whose transmission flags lack NBD_FLAG_HAS_FLAGS is refused, and
 * the completion callback of the option gets EINVAL rather than ENOTCONN.
 * Source: proto.md, "Transmission flags"; seen with libnbd 1.24.4.
 */
#include "../harness/harness.h"

static int
done (void *user_data, int *error)
{
  *(int *) user_data = *error;
  return 1;
}

int
main (void)
{
  struct nbd_handle *h = negotiating ("--fault", "info-no-flags");
  int errnum = -1;

  CHECK (nbd_aio_opt_go (h, (nbd_completion_callback) { .callback = done,
                                                        .user_data = &errnum })
         == 0);
  while (nbd_aio_is_connecting (h))
    nbd_poll (h, -1);
  CHECK (errnum == EINVAL);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  return 0;
}
