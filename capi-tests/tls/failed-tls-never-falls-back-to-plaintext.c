/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection to a server that answers STARTTLS neither with TLS nor with a
 * refusal fails, whether TLS is required or only allowed, in synchronous and
 * asynchronous calls.  STARTTLS is the last plaintext that is sent, even if the
 * server would continue.
 *
 * Source: nbd_set_tls(3); proto.md, "NBD_OPT_STARTTLS"; outcomes of
 * libnbd 1.24.4.
 */
#include "../harness/starttls.h"

static void
check_refused (struct nbd_handle *h, const char *function)
{
  CHECK_MESSAGE (function);
  CHECK (strlen (nbd_get_error ()) > strlen (function));
  CHECK (nbd_stats_bytes_sent (h) == CLIENT_FLAGS + OPTION);
  check_tls_failed (h);
  nbd_close (h);
}

int
main (void)
{
  static const int modes[] = { LIBNBD_TLS_REQUIRE, LIBNBD_TLS_ALLOW };

  for (size_t i = 0; i < ITEMS (starttls_faults); ++i) {
    char **server = server_command ("--fault", starttls_faults[i]);

    for (size_t n = 0; n < 2 * ITEMS (modes); ++n) {
      struct nbd_handle *h = with_tls (modes[n / 2], n % 2);
      int r;

      CHECK (nbd_connect_command (h, server) == -1);
      check_refused (h, "nbd_connect_command: ");

      h = with_tls (modes[n / 2], n % 2);
      CHECK (nbd_aio_connect_command (h, server) == 0);
      while ((r = nbd_poll (h, LONG_ENOUGH)) == 1)
        CHECK (nbd_aio_is_connecting (h) == 1);
      CHECK (r == -1);
      check_refused (h, "nbd_poll: ");
    }
  }
  return 0;
}
