/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The URI of a connection escapes the export name and the user as required in a
 * path and an authority, and repeats the relevant TLS settings.
 *
 * Source: nbd_get_uri(3); which characters stay is the C library's choice.
 */
#include "../harness/harness.h"

static void
check (struct nbd_handle *h, const char *expected)
{
  CHECK_ERROR (nbd_connect_unix (h, "/nonexistent/socket"), ENOENT);
  CHECK_STRING (nbd_get_uri (h), expected);
  nbd_close (h);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_export_name (h, " !\"#$%&'()*+,-./0:;<=>?@A[\\]^_`a{|}~"
                                 "\x7f\x01\xc3\xa9")
         == 0);
  check (h, "nbd+unix:///%20!%22%23$%25&'()*+,-./0%3A;%3C=%3E%3F@A%5B%5C%5D"
            "%5E_%60a%7B%7C%7D~%7F%01%C3%A9?socket=/nonexistent/socket");

  h = nbd_create ();
  CHECK (nbd_set_export_name (h, "/a//b") == 0);
  check (h, "nbd+unix:////a//b?socket=/nonexistent/socket");

  h = nbd_create ();
  CHECK (nbd_set_tls_username (h, "u@:/") == 0);
  CHECK (nbd_set_tls_hostname (h, "a.example") == 0);
  CHECK (nbd_set_tls_verify_peer (h, false) == 0);
  check (h, "nbd+unix://u%40:%2F@/?socket=/nonexistent/socket"
            "&tls-hostname=a.example&tls-verify-peer=false");
  return 0;
}
