/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The message of a failed connection has the parts that scripts look for: the
 * function, the operation, and the system's text.
 * Source: nbd_get_error(3); the words are those of libnbd 1.24.4.
 */
#include "../harness/commands.h"

static const struct {
  const char *uri, *message;
} uris[] = {
  { "localhost", "NBD URI does not have a scheme: " },
  { "nbd:localhost", "URI must begin with 'nbd://'" },
  { "http://localhost", "unknown NBD URI scheme: http" },
  { "nbd://[::1", "unable to parse URI: nbd://[::1" },
  { "nbd+unix:///", "cannot parse socket parameter from NBD URI" },
  { "nbd://localhost?socket=/x",
    "socket parameter is incompatible with \"nbd:\"" },
  { "nbd+vsock://abc:1", "cannot parse vsock CID from NBD URI: abc" },
  { "nbds://localhost?tls-psk-file=/x",
    "local file access (tls-psk-file) is not allowed, " },
  { "nbds://localhost?tls-priority=NORMAL",
    "overriding TLS priority (tls-priority) is not allowed, " },
  { "nbd://localhost?tls-verify-peer=x",
    "could not parse tls-verify-peer parameter, "
    "expecting tls-verify-peer=true|false" },
  { "nbd+ssh://", "SSH transport requires a server name" },
};

static struct nbd_handle *
refuse (uint32_t transports, int tls)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_uri_allow_transports (h, transports) == 0);
  CHECK (nbd_set_uri_allow_tls (h, tls) == 0);
  return h;
}

int
main (void)
{
  char *none[] = { NULL };
  char name[256] = "";
  struct nbd_handle *h = nbd_create ();
  char beginning[300];

  for (size_t i = 0; i < ITEMS (uris); ++i) {
    CHECK (nbd_connect_uri (h, uris[i].uri) == -1);
    snprintf (beginning, sizeof beginning, "nbd_connect_uri: %s",
              uris[i].message);
    CHECK_MESSAGE (beginning);
  }
  CHECK_ERROR (nbd_connect_command (h, none), EINVAL);
  CHECK_MESSAGE ("missing command name in argv list");
  CHECK_ERROR (nbd_connect_tcp (h, "127.0.0.1", "1"), ECONNREFUSED);
  CHECK_MESSAGE ("nbd_connect_tcp: connect: 127.0.0.1:1: "
                 "could not connect to remote host: ");
  CHECK_ERROR (nbd_connect_socket (h, -1), EBADF);
  CHECK_MESSAGE ("nbd_connect_socket: fcntl: set O_NONBLOCK: ");
  CHECK_ERROR (nbd_connect_unix (h, "/nonexistent/socket"), ENOENT);
  CHECK_MESSAGE ("nbd_connect_unix: connect: No such file or directory");
  nbd_close (h);

  h = nbd_create ();
  memset (name, 'x', sizeof name - 1);
  CHECK_ERROR (nbd_connect_unix (h, name), ENAMETOOLONG);
  CHECK_MESSAGE ("nbd_connect_unix: socket name too long: xxx");
  nbd_close (h);

  h = nbd_create ();
  CHECK_ERROR (nbd_connect_socket (h, open ("/dev/null", O_RDONLY)), ENOTSOCK);
  CHECK_MESSAGE ("nbd_connect_socket: recv: ");
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);

  h = refuse (LIBNBD_ALLOW_TRANSPORT_TCP, LIBNBD_TLS_DISABLE);
  CHECK_ERROR (nbd_connect_uri (h, "nbd+unix:///?socket=/x"), EPERM);
  CHECK_MESSAGE ("URI transport nbd+unix is not permitted");
  CHECK_ERROR (nbd_connect_uri (h, "nbds://localhost"), EPERM);
  CHECK_MESSAGE ("URI TLS setting nbds is not permitted");
  nbd_close (h);
  return 0;
}
