/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps that connect, and steps that end the connection. */
#ifndef STEPS_CONNECT_H
#define STEPS_CONNECT_H

#include "steps-options.h"

static void
connect_by_unix_socket (bool wait)
{
  const char *path = server_on_unix_socket ();

  if (wait)
    RETURNS (nbd_connect_unix, (h, path), "$SOCKET");
  else
    SETTLES (nbd_aio_connect_unix, (h, path), "$SOCKET");
}

static void
connect_by_address (void)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  strncpy (address.sun_path, server_on_unix_socket (),
           sizeof address.sun_path - 1);
  SETTLES (nbd_aio_connect, (h, (struct sockaddr *) &address, sizeof address),
           "$SOCKET");
}

static void
connect_by_uri (bool wait)
{
  static const char *const paths[] = {
    "/", "/", "", "/disk%20two", "/no", "//",
  };
  static const char *const schemes[] = { "nbd+unix", "nbd+unix", "nbds+unix" };
  static const char *const more[] = {
    "",
    "",
    "",
    "&tls-verify-peer=false",
    "&tls-psk-file=/nonexistent",
    "&unknown=1",
    "&tls-certificates=/nonexistent",
  };
  const char *scheme = ONE_OF (schemes);
  const char *path = ONE_OF (paths);
  const char *rest = ONE_OF (more);
  char *uri;

  CHECK (asprintf (&uri, "%s://%s?socket=%s%s", scheme, path,
                   server_on_unix_socket (), rest)
         > 0);
  if (wait)
    RETURNS (nbd_connect_uri, (h, uri), "%s://%s?socket=$SOCKET%s", scheme,
             path, rest);
  else
    SETTLES (nbd_aio_connect_uri, (h, uri), "%s://%s?socket=$SOCKET%s", scheme,
             path, rest);
  line ("TLS %d afterwards", nbd_get_tls (h));
  free (uri);
}

static void
connect_by_socket (bool wait)
{
  int fd = server_on_socketpair ();

  if (wait)
    RETURNS (nbd_connect_socket, (h, fd), "%s", "");
  else
    SETTLES (nbd_aio_connect_socket, (h, fd), "%s", "");
}

static void
connect_by_command (bool wait)
{
  char **argv = server_on_stdin ();

  if (wait)
    RETURNS (nbd_connect_command, (h, argv), "%s", "");
  else
    SETTLES (nbd_aio_connect_command, (h, argv), "%s", "");
}

static void
connect_by_socket_activation (bool wait)
{
  char **argv = server_argv ((char *[]) { "--exit-with-parent", NULL });

  if (wait)
    RETURNS (nbd_connect_systemd_socket_activation, (h, argv), "%s", "");
  else
    SETTLES (nbd_aio_connect_systemd_socket_activation, (h, argv), "%s", "");
}

/* Connects where no server listens. */
static void
connect_to_nothing (bool wait)
{
  static const char *const uris[] = {
    "",
    "nbd",
    "/path",
    "http://localhost",
    "nbd:",
    "nbd+unix://",
    "nbd+unix:///name",
    "nbd://localhost:1",
    "nbd://localhost:x",
    "nbd+unix:///?socket=/nonexistent/socket",
    "nbd://[",
    "nbd://a b/",
    "nbd://localhost/%zz",
    "nbd://localhost/?socket=/path",
    "nbd+unix:///?socket=/nonexistent&tls-verify-peer=maybe",
    "nbds://localhost:1/?tls-psk-file=/nonexistent",
  };
  static const char *const paths[] = { "/nonexistent/socket", "/", "" };
  char *none[] = { NULL };
  const char *uri = ONE_OF (uris);
  const char *path = one_in (4) ? long_string (200) : ONE_OF (paths);

  switch (below (5)) {
  case 0:
  case 1:
    if (wait)
      RETURNS (nbd_connect_uri, (h, uri), "\"%s\"", uri);
    else
      SETTLES (nbd_aio_connect_uri, (h, uri), "\"%s\"", uri);
    line ("TLS %d afterwards", nbd_get_tls (h));
    break;
  case 2:
    if (wait)
      RETURNS (nbd_connect_unix, (h, path), "\"%.40s\"", path);
    else
      SETTLES (nbd_aio_connect_unix, (h, path), "\"%.40s\"", path);
    break;
  case 3:
    if (wait)
      RETURNS (nbd_connect_tcp, (h, "127.0.0.1", "1"), "127.0.0.1 1");
    else
      SETTLES (nbd_aio_connect_tcp, (h, "127.0.0.1", "1"), "127.0.0.1 1");
    break;
  default:
    if (one_in (2))
      RETURNS (nbd_connect_command, (h, none), "[]");
    else
      RETURNS (nbd_connect_systemd_socket_activation, (h, none), "[]");
  }
}

static void
connect_somehow (void)
{
  bool wait = one_in (2);

  switch (below (11)) {
  case 0:
    connect_to_nothing (wait);
    break;
  case 1:
    connect_by_address ();
    break;
  case 2:
    connect_by_uri (wait);
    break;
  case 3:
  case 4:
    connect_by_unix_socket (wait);
    break;
  case 5:
    connect_by_socket_activation (wait);
    break;
  case 6:
  case 7:
    connect_by_socket (wait);
    break;
  default:
    connect_by_command (wait);
  }
}

static void
end_connection (void)
{
  uint32_t value = one_in (2) ? 0 : LIBNBD_SHUTDOWN_ABANDON_PENDING;

  if (one_in (8))
    value = 1;
  switch (below (4)) {
  case 0:
    value = one_in (4) ? 1 : 0;
    SETTLES (nbd_aio_disconnect, (h, value), "0x%x", value);
    break;
  case 1:
    if (unsettled)
      settle ();
    RETURNS (nbd_opt_abort, (h), "%s", "");
    break;
  default:
    /* The number of commands that get their replies varies. */
    if (unsettled && (server_shuffles || value != 0))
      settle ();
    RETURNS (nbd_shutdown, (h, value), "0x%x", value);
  }
}

/* Sends invalid signals, or any signal if there is no subprocess. */
static void
signal_server (void)
{
  int number = one_in (2) ? -1 : 9999;

  RETURNS (nbd_kill_subprocess, (h, number), "%d", number);
}

#endif /* STEPS_CONNECT_H */
