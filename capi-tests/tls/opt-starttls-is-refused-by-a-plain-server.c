/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requesting TLS from a server without it returns false, and negotiation
 * continues.
 *
 * Source: nbd_opt_starttls(3), nbd_aio_opt_starttls(3).
 */
#include "../harness/harness.h"

static int
store_error (void *user_data, int *error)
{
  *(int *) user_data = *error;
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = negotiating ("--size", "1M");
  int error = -1, freed = 0;
  nbd_completion_callback completion = { .callback = store_error,
                                         .user_data = &error };

  CHECK (nbd_opt_starttls (h) == 0);
  CHECK (nbd_aio_opt_starttls (h, completion) == 0);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, -1) >= 0);
  CHECK (error == ENOTSUP);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (nbd_get_tls_negotiated (h) == 0);
  /* Without an agreement, nothing is discarded. */
  CHECK (nbd_get_structured_replies_negotiated (h) == 1);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 0);

  /* Too late. */
  CHECK_ERROR (nbd_opt_starttls (h), EINVAL);
  CHECK_ERROR (nbd_aio_opt_starttls (
                   h, (nbd_completion_callback) { .callback = store_error,
                                                  .user_data = &freed,
                                                  .free = count_free }),
               EINVAL);
  CHECK (freed == 1);
  nbd_close (h);
  return 0;
}
