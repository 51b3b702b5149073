/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting to a host and port: by address, IPv4 and IPv6 if available, and by
 * name, trying every address of the name.  The connection's URI leads to the
 * same server, and the host name is the one that TLS would verify.
 *
 * Source: nbd_connect_tcp(3), nbd_aio_connect_tcp(3), nbd_connect_uri(3),
 * nbd_get_uri(3), nbd_get_tls_hostname(3).
 */
#include "../harness/harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* Returns a socket that listens on a free port of this address, or -1. */
static int
listen_on (int family, int *port)
{
  struct sockaddr_in v4 = { .sin_family = AF_INET };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
  struct sockaddr *address = (struct sockaddr *) &v4;
  socklen_t length = sizeof v4;
  int fd = socket (family, SOCK_STREAM | SOCK_CLOEXEC, 0);

  v4.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (family == AF_INET6) {
    v6.sin6_addr = in6addr_loopback;
    address = (struct sockaddr *) &v6;
    length = sizeof v6;
  }
  if (fd == -1 || bind (fd, address, length) == -1 || listen (fd, 5) == -1
      || getsockname (fd, address, &length) == -1) {
    if (fd != -1)
      close (fd);
    return -1;
  }
  *port = ntohs (family == AF_INET6 ? v6.sin6_port : v4.sin_port);
  return fd;
}

/* Runs the server on a listening socket, as systemd would. */
static pid_t
serve (int fd)
{
  pid_t pid = fork ();
  char self[32];

  CHECK (pid >= 0);
  if (pid == 0) {
    snprintf (self, sizeof self, "%d", (int) getpid ());
    setenv ("LISTEN_PID", self, 1);
    setenv ("LISTEN_FDS", "1", 1);
    if (fd == 3)
      fcntl (3, F_SETFD, 0);
    else
      dup2 (fd, 3);
    execl (memserver (), "memserver", "--size", "1M", "--exit-with-parent",
           (char *) NULL);
    _exit (127);
  }
  close (fd);
  return pid;
}

static void
check_connects (const char *host, int port, bool asynchronous)
{
  struct nbd_handle *h = nbd_create ();
  char text[16], uri[64];

  snprintf (text, sizeof text, "%d", port);
  snprintf (uri, sizeof uri,
            strchr (host, ':') ? "nbd://[%s]:%d/" : "nbd://%s:%d/", host, port);
  if (asynchronous) {
    CHECK (nbd_aio_connect_tcp (h, host, text) == 0);
    while (nbd_aio_is_connecting (h))
      CHECK (nbd_poll (h, -1) == 1);
  } else
    CHECK (nbd_connect_tcp (h, host, text) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_get_size (h) == 1 << 20);
  CHECK_STRING (nbd_get_uri (h), uri);
  CHECK_STRING (nbd_get_tls_hostname (h), host);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);

  /* The URI leads back to the same server. */
  h = nbd_create ();
  CHECK (nbd_connect_uri (h, uri) == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  nbd_close (h);
}

int
main (void)
{
  int port, fd = listen_on (AF_INET, &port);
  pid_t server;

  CHECK (fd != -1);
  server = serve (fd);
  check_connects ("127.0.0.1", port, false);
  check_connects ("127.0.0.1", port, true);
  /* The name may also have an IPv6 address, without a listener. */
  check_connects ("localhost", port, false);
  check_connects ("localhost", port, true);
  kill (server, SIGTERM);
  CHECK (waitpid (server, NULL, 0) == server);

  fd = listen_on (AF_INET6, &port);
  if (fd != -1) { /* a machine without IPv6 has nothing to test */
    server = serve (fd);
    check_connects ("::1", port, false);
    kill (server, SIGTERM);
    CHECK (waitpid (server, NULL, 0) == server);
  }
  return 0;
}
