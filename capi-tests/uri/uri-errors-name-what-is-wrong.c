/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An unusable URI is refused before connecting, with EINVAL and a message that
 * names the faulty part; the handle is unchanged.
 *
 * Source: nbd_connect_uri(3); doc/uri.md of the protocol.
 */
#include "../harness/harness.h"

static const struct {
  const char *uri;
  const char *message;
} wrong[] = {
  { "", "scheme" },
  { "localhost", "scheme" },
  { "/var/run/socket", "nbd+unix://" },
  { "http://localhost/", "http" },
  { "nbd+tcp://localhost", "nbd+tcp" },
  { "nbd:", "nbd://" },
  { "nbd+unix:?socket=/x", "nbd+unix://" },
  { "nbd://local host/", "nbd://local host/" },
  { "nbd://localhost:port/", "URI" },
  { "nbd://localhost/%zz", "URI" },
  { "nbd+unix:///?socket=%zz", "URI" },
  { "nbd+unix:///", "socket" },
  { "nbd+unix:///?path=/x", "socket" },
  { "nbd://localhost/?socket=/x", "socket" },
  { "nbd+vsock://2/?socket=/x", "socket" },
  { "nbd+vsock://two/", "two" },
  { "nbd+unix:///?socket=/x&tls-verify-peer=maybe", "tls-verify-peer" },
};

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  size_t i;

  for (i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
    CHECK_ERROR (nbd_connect_uri (h, wrong[i].uri), EINVAL);
    CHECK_MESSAGE ("nbd_connect_uri: ");
    CHECK_MESSAGE (wrong[i].message);
    CHECK_ERROR (nbd_aio_connect_uri (h, wrong[i].uri), EINVAL);
    CHECK_MESSAGE ("nbd_aio_connect_uri: ");
    CHECK (nbd_aio_is_created (h) == 1);
  }
  nbd_close (h);
  return 0;
}
