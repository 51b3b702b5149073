/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A command is given a listening Unix socket as descriptor 3, as by systemd,
 * with the name of the socket or "unknown"; closing the handle removes the
 * socket's path.
 *
 * Source: nbd_connect_systemd_socket_activation(3),
 * nbd_set_socket_activation_name(3).
 */
#include "../harness/harness.h"

/* Serves only if the variables are as expected. */
static char script[512];

static char **
server_expecting (const char *name)
{
  static char *argv[] = { "sh", "-c", script, NULL };

  snprintf (script, sizeof script,
            "test \"$LISTEN_PID\" = $$ && test \"$LISTEN_FDS\" = 1 && "
            "test \"$LISTEN_FDNAMES\" = '%s' && test -S /proc/self/fd/3 && "
            "exec '%s' --size 1M",
            name, memserver ());
  return argv;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  const char *start = "nbd+unix:///?socket=";
  char *uri, *path;
  int64_t pid;

  /* Variables that systemd set for this program must not reach the server. */
  CHECK (setenv ("LISTEN_FDS", "7", 1) == 0);
  CHECK (setenv ("LISTEN_FDNAMES", "mine", 1) == 0);
  CHECK (nbd_connect_systemd_socket_activation (h, server_expecting ("unknown"))
         == 0);
  CHECK (nbd_get_size (h) == 1 << 20);
  pid = nbd_get_subprocess_pid (h);
  CHECK (pid > 0 && kill (pid, 0) == 0);
  CHECK (strcmp (getenv ("LISTEN_FDNAMES"), "mine") == 0);

  uri = nbd_get_uri (h);
  CHECK (uri != NULL && strncmp (uri, start, strlen (start)) == 0);
  path = uri + strlen (start);
  CHECK (access (path, F_OK) == 0);
  nbd_close (h);
  CHECK (kill (pid, 0) == -1 && errno == ESRCH);
  CHECK (access (path, F_OK) == -1 && errno == ENOENT);
  *strrchr (path, '/') = '\0';
  CHECK (access (path, F_OK) == -1 && errno == ENOENT);
  free (uri);

  h = nbd_create ();
  CHECK (nbd_set_socket_activation_name (h, "disk1") == 0);
  CHECK (nbd_aio_connect_systemd_socket_activation (h,
                                                    server_expecting ("disk1"))
         == 0);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, -1) == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  nbd_close (h);
  return 0;
}
