/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If a manual request for TLS gets neither TLS nor a refusal, the connection is
 * lost: earlier negotiation cannot be used without TLS.
 *
 * Source: nbd_opt_starttls(3), nbd_aio_opt_starttls(3); outcomes of libnbd
 * 1.24.4.
 */
#include "../harness/starttls.h"

static struct nbd_handle *
negotiated (char *fault)
{
  struct nbd_handle *h = with_tls (LIBNBD_TLS_DISABLE, true);

  connect_handle (h, server_command ("--fault", fault));
  CHECK (nbd_get_extended_headers_negotiated (h) == 1);
  CHECK (nbd_opt_info (h) == 0);
  return h;
}

int
main (void)
{
  for (size_t i = 0; i < ITEMS (starttls_faults); ++i) {
    struct nbd_handle *h = negotiated (starttls_faults[i]);
    struct record record = { .error = -1 };
    uint64_t sent = nbd_stats_bytes_sent (h);
    int r = 1;

    CHECK (nbd_opt_starttls (h) == -1);
    CHECK_MESSAGE ("nbd_opt_starttls: ");
    CHECK (nbd_stats_bytes_sent (h) == sent + OPTION);
    check_tls_failed (h);
    nbd_close (h);

    h = negotiated (starttls_faults[i]);
    CHECK (nbd_aio_opt_starttls (h, COMPLETION (&record)) == 0);
    while (r == 1 && nbd_aio_is_connecting (h) == 1)
      r = nbd_poll (h, LONG_ENOUGH);
    /* The first call may already have received the answer. */
    CHECK_MESSAGE (r == -1 ? "nbd_poll: " : "nbd_aio_opt_starttls: ");
    CHECK (nbd_stats_bytes_sent (h) == sent + OPTION);
    check_tls_failed (h);
    nbd_close (h);
    CHECK (strcmp (record.letters, "Cc") == 0);
    CHECK (record.error == ENOTCONN);
  }
  return 0;
}
