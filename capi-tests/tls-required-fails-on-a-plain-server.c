/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A handle that requires TLS does not connect to a server without it, whatever
 * the server's handshake; one that merely allows it does, unencrypted.
 *
 * Rule: nbd_set_tls(3), nbd_get_tls_negotiated(3).  The errno is the same where
 * this build has no TLS.
 */
#include "harness.h"

static void
check_refused (char **server)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  CHECK_ERROR (nbd_connect_command (h, server), ENOTSUP);
  CHECK (nbd_aio_is_ready (h) == 0);
  nbd_close (h);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  check_refused (server_command ("--newstyle-fixed"));
  check_refused (server_command ("--newstyle"));
  check_refused (server_command ("--oldstyle"));

  if (nbd_supports_tls (h)) {
    CHECK (nbd_set_tls (h, LIBNBD_TLS_ALLOW) == 0);
    CHECK (nbd_connect_command (h, server_command ("--size", "1M")) == 0);
    CHECK (nbd_get_tls_negotiated (h) == 0);
  }
  nbd_close (h);
  return 0;
}
