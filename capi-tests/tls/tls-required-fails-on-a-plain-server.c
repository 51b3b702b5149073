/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A handle that requires TLS does not connect to a server without it, with any
 * style of handshake; a handle that merely allows it connects unencrypted.
 *
 * Source: nbd_set_tls(3), nbd_get_tls_negotiated(3).
 */
#include "../harness/harness.h"

static void
check_refused (char **server)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  CHECK_ERROR (nbd_connect_command (h, server), ENOTSUP);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (nbd_get_tls_negotiated (h) != 1);
  nbd_close (h);
}

static void
check_plain (char **server)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_tls (h, LIBNBD_TLS_ALLOW) == 0);
  CHECK (nbd_connect_command (h, server) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

int
main (void)
{
  check_refused (server_command ("--newstyle-fixed"));
  check_refused (server_command ("--newstyle"));
  check_refused (server_command ("--oldstyle"));
  check_refused (server_command ("--option-error", "STARTTLS=POLICY"));

  check_plain (server_command ("--size", "1M", "--newstyle-fixed"));
  check_plain (server_command ("--size", "1M", "--newstyle"));
  check_plain (server_command ("--size", "1M", "--oldstyle"));
  check_plain (server_command ("--size", "1M", "--option-error",
                               "STARTTLS=POLICY"));
  return 0;
}
