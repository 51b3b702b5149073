/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_aio_opt_starttls does not wait; the completion callback gets the result
 * once, and is freed once.
 *
 * Source: nbd_aio_opt_starttls(3); libnbd(3), "Completion callbacks".
 */
#include "../harness/tls.h"

static void
ask (struct nbd_handle *h, struct record *record)
{
  CHECK (nbd_aio_opt_starttls (h, COMPLETION (record)) == 0);
  while (nbd_aio_is_connecting (h) == 1)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK_RECORD (*record, "Cc");
  CHECK (nbd_aio_is_negotiating (h) == 1);
}

int
main (void)
{
  struct nbd_handle *h = in_opt_mode (configured ());
  struct record first = { .error = -1 }, second = { .error = -1 };

  CHECK (connect_to_server (h) == 0);
  ask (h, &first);
  CHECK (first.error == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);

  /* The server already has TLS. */
  ask (h, &second);
  CHECK (second.error > 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);

  CHECK (nbd_opt_go (h) == 0);
  check_data_flows (h);
  nbd_close (h);
  return 0;
}
