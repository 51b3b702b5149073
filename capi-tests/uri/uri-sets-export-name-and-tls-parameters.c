/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The parts of a URI set the handle like the setters: the path is the export
 * name, percent-decoded and without its first slash; the user and the tls
 * parameters set TLS.  Unknown parameters are ignored.
 *
 * Source: nbd_connect_uri(3); doc/uri.md of the protocol.
 */
#include "../harness/harness.h"

static const struct {
  const char *path, *name;
} names[] = {
  { "", "" },
  { "/", "" },
  { "/disk", "disk" },
  { "//disk", "/disk" },
  { "/a/b/", "a/b/" },
  { "/a%2Fb%20c%3f%23", "a/b c?#" },
  { "/%E2%82%AC", "\xe2\x82\xac" },
  { "/disk#fragment", "disk" },
  { "/a;b=c", "a;b=c" },
  { "/a+b", "a+b" },
};

static struct nbd_handle *
refused_uri (const char *uri)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_export_name (h, "before") == 0);
  CHECK_ERROR (nbd_connect_uri (h, uri), ECONNREFUSED);
  return h;
}

int
main (void)
{
  struct nbd_handle *h;
  char uri[128];
  size_t i;

  CHECK (setenv ("LOGNAME", "somebody", 1) == 0);
  for (i = 0; i < sizeof names / sizeof names[0]; ++i) {
    snprintf (uri, sizeof uri, "nbd://127.0.0.1:1%s", names[i].path);
    h = refused_uri (uri);
    CHECK_STRING (nbd_get_export_name (h), names[i].name);
    CHECK_STRING (nbd_get_tls_username (h), "somebody");
    CHECK (nbd_get_tls (h) == LIBNBD_TLS_DISABLE);
    nbd_close (h);
  }

  h = refused_uri ("NBD://bob@127.0.0.1:1/x?other=1&TLS-HostName=a.example"
                   ";tls-verify-peer=false");
  CHECK_STRING (nbd_get_export_name (h), "x");
  CHECK_STRING (nbd_get_tls_username (h), "bob");
  CHECK_STRING (nbd_get_tls_hostname (h), "a.example");
  CHECK (nbd_get_tls_verify_peer (h) == 0);
  nbd_close (h);

  /* A parameter overrides the authority, the last one counts. */
  h = refused_uri ("nbd://bob@127.0.0.1:2/x?nbd-port=1&tls-username=carol"
                   "&tls-username=alice%40home");
  CHECK_STRING (nbd_get_tls_username (h), "alice@home");
  nbd_close (h);
  return 0;
}
