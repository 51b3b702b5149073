/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After an "nbds" URI was refused, another attempt to connect still requires
 * TLS. A URI that could not request TLS has no such effect.
 *
 * Source: nbd_connect_uri(3) and nbd_set_uri_allow_tls(3); seen in the C library.
 */
#include "../harness/harness.h"

static int
tls_after (void (*prepare) (struct nbd_handle *), const char *uri, int err)
{
  struct nbd_handle *h = nbd_create ();
  int tls;

  if (prepare)
    prepare (h);
  CHECK_ERROR (nbd_connect_uri (h, uri), err);
  CHECK (nbd_aio_is_created (h) == 1);
  tls = nbd_get_tls (h);
  nbd_close (h);
  return tls;
}

static void
allow_no_tls (struct nbd_handle *h)
{
  CHECK (nbd_set_uri_allow_tls (h, LIBNBD_TLS_DISABLE) == 0);
}

static void
allow_no_tcp (struct nbd_handle *h)
{
  CHECK (nbd_set_uri_allow_transports (h, LIBNBD_ALLOW_TRANSPORT_UNIX) == 0);
}

int
main (void)
{
  static const struct {
    const char *uri;
    int err;
  } refused[] = {
    { "nbds://localhost/?tls-psk-file=/etc/keys.psk", EPERM },
    { "nbds://localhost/?tls-certificates=/etc/pki", EPERM },
    { "nbds://localhost/?tls-priority=NORMAL", EPERM },
    { "nbds://localhost/?tls-verify-peer=perhaps", EINVAL },
    { "nbds+vsock://not-a-number/", EINVAL },
    { "nbds://localhost/a%00b", EINVAL },
    { "nbds://localhost/?tls-hostname=%00", EINVAL },
    { "nbds://user%00@localhost/", EINVAL },
    { "nbds+ssh://-oProxyCommand=x/", EINVAL },
  };
  size_t i;

  for (i = 0; i < sizeof refused / sizeof refused[0]; i++)
    CHECK (tls_after (NULL, refused[i].uri, refused[i].err)
           == LIBNBD_TLS_REQUIRE);

  CHECK (tls_after (NULL, "nbd://localhost/?tls-psk-file=/etc/keys.psk", EPERM)
         == LIBNBD_TLS_DISABLE);
  CHECK (tls_after (NULL, "nbds+unix:///", EINVAL) == LIBNBD_TLS_DISABLE);
  CHECK (tls_after (NULL, "nbds://[::1/", EINVAL) == LIBNBD_TLS_DISABLE);
  CHECK (tls_after (allow_no_tls, "nbds://localhost/?tls-verify-peer=perhaps",
                    EPERM)
         == LIBNBD_TLS_DISABLE);
  CHECK (tls_after (allow_no_tcp, "nbds://localhost/?tls-verify-peer=perhaps",
                    EPERM)
         == LIBNBD_TLS_DISABLE);
  return 0;
}
