/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If TLS is allowed but not required, the connection continues in plaintext
 * after the server's refusal for any reason; if TLS is required, it fails. In
 * option mode the program can negotiate, or not.  A malformed refusal does not
 * count.
 *
 * Source: nbd_set_tls(3); outcomes of libnbd 1.24.4.
 */
#include "../harness/starttls.h"

static char *const refusals[][2] = {
  { "--option-error", "STARTTLS=UNSUP" },
  { "--option-error", "STARTTLS=POLICY" },
  { "--option-error", "STARTTLS=INVALID" },
  { "--option-error", "STARTTLS=PLATFORM" },
  { "--option-error", "STARTTLS=TLS_REQD" },
  { "--option-error", "STARTTLS=UNKNOWN" },
  { "--option-error", "STARTTLS=SHUTDOWN" },
  { "--option-error", "STARTTLS=BLOCK_SIZE_REQD" },
  { "--option-error", "STARTTLS=TOO_BIG" },
  { "--option-error", "STARTTLS=EXT_HEADER_REQD" },
  { "--fault", "option-unknown-error:1" },
};

/* STARTTLS is the first option, and the only one that fails. */
static char *const broken[] = {
  "option-magic:1",      "option-number:1",      "option-unknown-type:1",
  "option-long-error:1", "option-huge-length:1", "option-close:1",
};

int
main (void)
{
  struct nbd_handle *h;

  for (size_t i = 0; i < ITEMS (refusals); ++i) {
    char **server = server_command (refusals[i][0], refusals[i][1]);

    h = with_tls (LIBNBD_TLS_ALLOW, false);
    CHECK (nbd_connect_command (h, server) == 0);
    check_plaintext_works (h);
    nbd_close (h);

    h = with_tls (LIBNBD_TLS_ALLOW, true);
    CHECK (nbd_connect_command (h, server) == 0);
    CHECK (nbd_aio_is_negotiating (h) == 1);
    CHECK (nbd_get_tls_negotiated (h) == 0);
    CHECK (nbd_get_extended_headers_negotiated (h) == 1);
    CHECK (nbd_opt_go (h) == 0);
    check_plaintext_works (h);
    nbd_close (h);

    /* Only ABORT may follow. */
    h = with_tls (LIBNBD_TLS_REQUIRE, false);
    CHECK_ERROR (nbd_connect_command (h, server), ENOTSUP);
    CHECK (nbd_stats_bytes_sent (h) <= CLIENT_FLAGS + 2 * OPTION);
    check_tls_failed (h);
    nbd_close (h);
  }

  for (size_t i = 0; i < ITEMS (broken); ++i) {
    h = with_tls (LIBNBD_TLS_ALLOW, false);
    CHECK (nbd_connect_command (h, server_command ("--fault", broken[i]))
           == -1);
    CHECK (nbd_stats_bytes_sent (h) == CLIENT_FLAGS + OPTION);
    check_tls_failed (h);
    nbd_close (h);
  }
  return 0;
}
