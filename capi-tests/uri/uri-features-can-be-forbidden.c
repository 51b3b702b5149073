/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A URI with a transport, TLS, local files or a TLS priority that the program
 * does not allow is refused with EPERM before connecting.  Local files and the
 * TLS priority are forbidden by default.
 *
 * Source: nbd_connect_uri(3), "Disabling URI features"; the pages of the
 * nbd_set_uri_allow functions.
 */
#include "../harness/harness.h"

#define UNIX "nbd+unix:///?socket=/nonexistent/socket"
#define UNIX_TLS "nbds+unix:///?socket=/nonexistent/socket"

static struct nbd_handle *h;

static void
check (const char *uri, int error)
{
  CHECK_ERROR (nbd_connect_uri (h, uri), error);
  if (error == EPERM)
    CHECK (nbd_aio_is_created (h) == 1);
  nbd_close (h);
  h = nbd_create ();
}

int
main (void)
{
  h = nbd_create ();
  CHECK (nbd_set_uri_allow_transports (h, 0) == 0);
  check (UNIX, EPERM);
  CHECK (nbd_set_uri_allow_transports (h, LIBNBD_ALLOW_TRANSPORT_UNIX) == 0);
  check ("nbd://127.0.0.1:1", EPERM);
  CHECK (nbd_set_uri_allow_transports (h, LIBNBD_ALLOW_TRANSPORT_UNIX) == 0);
  check ("nbd+vsock://1:1", EPERM);
  CHECK (nbd_set_uri_allow_transports (h, LIBNBD_ALLOW_TRANSPORT_UNIX) == 0);
  check ("nbd+ssh://127.0.0.1", EPERM);
  CHECK (nbd_set_uri_allow_transports (h, LIBNBD_ALLOW_TRANSPORT_UNIX) == 0);
  check (UNIX, ENOENT);
  CHECK (nbd_set_uri_allow_transports (h, LIBNBD_ALLOW_TRANSPORT_TCP) == 0);
  check (UNIX, EPERM);
  CHECK (nbd_set_uri_allow_transports (h, LIBNBD_ALLOW_TRANSPORT_TCP) == 0);
  check ("nbd://127.0.0.1:1", ECONNREFUSED);

  CHECK (nbd_set_uri_allow_tls (h, LIBNBD_TLS_DISABLE) == 0);
  check (UNIX_TLS, EPERM);
  CHECK (nbd_set_uri_allow_tls (h, LIBNBD_TLS_DISABLE) == 0);
  check (UNIX, ENOENT);
  CHECK (nbd_set_uri_allow_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  check (UNIX, EPERM);
  CHECK (nbd_set_uri_allow_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  check (UNIX "&tls-certificates=/x", EPERM);

  check (UNIX "&tls-psk-file=/x", EPERM);
  check (UNIX "&tls-certificates=/x", EPERM);
  CHECK (nbd_set_uri_allow_local_file (h, true) == 0);
  check (UNIX "&tls-psk-file=/x", ENOENT);
  CHECK (nbd_set_uri_allow_local_file (h, true) == 0);
  check (UNIX "&tls-certificates=/x", ENOENT);

  check (UNIX "&tls-priority=NORMAL", EPERM);
  CHECK (nbd_set_uri_allow_tls_priority (h, true) == 0);
  check (UNIX "&tls-priority=NORMAL", ENOENT);
  nbd_close (h);
  return 0;
}
