/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If a server refuses to start TLS, for any reason, a program that requested it
 * manually gets an error, keeps its negotiation, and decides whether to
 * continue.
 *
 * Source: nbd_opt_starttls(3), nbd_aio_opt_starttls(3); outcomes of libnbd
 * 1.24.4.
 */
#include "../harness/starttls.h"

static char *const refusals[] = {
  "STARTTLS=UNSUP",           "STARTTLS=POLICY",          "STARTTLS=INVALID",
  "STARTTLS=PLATFORM",        "STARTTLS=TLS_REQD",        "STARTTLS=UNKNOWN",
  "STARTTLS=SHUTDOWN",        "STARTTLS=BLOCK_SIZE_REQD", "STARTTLS=TOO_BIG",
  "STARTTLS=EXT_HEADER_REQD",
};

static void
check_unchanged (struct nbd_handle *h)
{
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (nbd_get_tls_negotiated (h) == 0);
  CHECK (nbd_get_extended_headers_negotiated (h) == 1);
  CHECK (nbd_get_size (h) == 1 * MIB);
}

int
main (void)
{
  for (size_t i = 0; i < ITEMS (refusals); ++i) {
    struct nbd_handle *h = with_tls (LIBNBD_TLS_DISABLE, true);
    struct record record = { .error = -1 };

    connect_handle (h, server_command ("--size", "1M", "--option-error",
                                       refusals[i]));
    CHECK (nbd_opt_info (h) == 0);
    check_unchanged (h);
    CHECK (nbd_opt_starttls (h) == 0);
    check_unchanged (h);

    CHECK (nbd_aio_opt_starttls (h, COMPLETION (&record)) == 0);
    while (nbd_aio_is_connecting (h) == 1)
      CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
    CHECK (strcmp (record.letters, "Cc") == 0);
    /* libnbd 1.24.4 has EINVAL for NBD_REP_ERR_INVALID. */
    CHECK (record.error == ENOTSUP
           || (record.error == EINVAL
               && strcmp (refusals[i], "STARTTLS=INVALID") == 0));
    check_unchanged (h);

    CHECK (nbd_opt_go (h) == 0);
    check_plaintext_works (h);
    nbd_close (h);
  }
  return 0;
}
