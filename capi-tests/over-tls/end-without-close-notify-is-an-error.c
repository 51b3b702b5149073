/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server that announces the end of its session and then closes has closed the
 * connection; without the announcement, an attacker may have cut it, and the
 * handle is dead.  In both cases a command without a reply fails.
 *
 * Source: RFC 8446, section 6.1; outcomes of libnbd 1.24.4.  GOODBYE in the
 * environment is 1 or 0.  The server replies to one request.
 */
#include "../harness/tls.h"

int
main (void)
{
  bool goodbye = atoi (required_setting ("GOODBYE"));
  char data[2][512];

  for (size_t count = 1; count <= ITEMS (data); ++count) {
    struct nbd_handle *h = configured ();
    /* Retired at once: libnbd 1.24.4 calls the remaining callbacks again at the
     * end. */
    struct record records[ITEMS (data)] = {
      { .error = -1, .result = 1 },
      { .error = -1, .result = 1 },
    };
    int r = 1;

    CHECK (connect_to_server (h) == 0);
    CHECK (nbd_get_tls_negotiated (h) == 1);
    for (size_t i = 0; i < count; ++i)
      CHECK (nbd_aio_pread (h, data[i], sizeof data[i], 0,
                            COMPLETION (&records[i]), 0)
             > 0);
    while (r == 1
           && (nbd_aio_is_ready (h) == 1 || nbd_aio_is_processing (h) == 1))
      r = nbd_poll (h, LONG_ENOUGH);
    CHECK (nbd_aio_is_closed (h) == goodbye);
    CHECK (nbd_aio_is_dead (h) == !goodbye);
    if (!goodbye)
      CHECK (r == -1 && nbd_get_error () != NULL);
    CHECK_ERROR (nbd_pread (h, data[0], 1, 0, 0), EINVAL);
    nbd_close (h);
    CHECK (strcmp (records[0].letters, "Cc") == 0);
    CHECK (records[0].error == 0);
    if (count == 2) {
      CHECK (strcmp (records[1].letters, "Cc") == 0);
      CHECK (records[1].error == ENOTCONN);
    }
  }
  return 0;
}
