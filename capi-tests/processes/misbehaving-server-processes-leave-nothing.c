/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server process may exit at any time, write any amount to standard error,
 * close its descriptors and keep running, or ignore every signal: calls fail or
 * succeed, nbd_close returns when the server has exited, and no process and no
 * descriptor is left. nbd_close waits for a server that ignores both SIGTERM
 * and the end of its connection, as in the C library: the program can kill it.
 * Source: nbd_connect_command(3), nbd_connect_systemd_socket_activation(3),
 * nbd_kill_subprocess(3).
 */
#include "../harness/commands.h"
#include "../harness/descriptors.h"

static char **
shell (const char *script)
{
  static char *argv[5];

  argv[0] = "sh";
  argv[1] = "-c";
  argv[2] = (char *) script;
  argv[3] = memserver ();
  return argv;
}

static void
use (struct nbd_handle *h)
{
  char buf[512];

  CHECK (nbd_pwrite (h, "x", 1, 0, 0) == 0);
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  CHECK (buf[0] == 'x');
  nbd_close (h);
}

/* Uses a command that never becomes a server: both ways to connect fail. */
static void
never_serves (const char *script)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_connect_command (h, shell (script)) == -1);
  CHECK (nbd_get_error () != NULL);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);

  h = nbd_create ();
  CHECK (nbd_connect_systemd_socket_activation (h, shell (script)) == -1);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
}

int
main (void)
{
  static const char *const useless[] = {
    "exit 0",
    "exit 1",
    "kill -9 $$",
    "kill -TERM $$",
    "exec </dev/null",
    "head -c 3 /dev/zero",
    "echo no >&2; exit 3",
    "sleep 0.02",
    "exec <&- >&- 3<&-; sleep 0.02",
    "exec true",
    "/nonexistent/program",
    "printf NBDMAGICIHAVEOPT; sleep 0.02",
  };
  struct nbd_handle *h;
  size_t before;
  int saved, null;

  CHECK ((saved = dup (2)) > 2);
  CHECK ((null = open ("/dev/null", O_WRONLY | O_CLOEXEC)) >= 0);
  use (connect_handle (nbd_create (), shell ("exec \"$0\" --stdin")));
  before = descriptors ();

  /* Discard the servers' output. */
  CHECK (dup2 (null, 2) == 2);
  for (size_t i = 0; i < ITEMS (useless); ++i)
    never_serves (useless[i]);

  /* A lot of output on standard error, before and while it serves. */
  use (connect_handle (
      nbd_create (),
      shell ("head -c 4000000 /dev/zero >&2; exec \"$0\" --stdin --log")));
  h = nbd_create ();
  CHECK (nbd_connect_systemd_socket_activation (
             h, shell ("(head -c 4000000 /dev/zero >&2) & exec \"$0\" --log"))
         == 0);
  use (h);
  CHECK (dup2 (saved, 2) == 2);

  /* It exits while the connection is in use. */
  h = connect_handle (nbd_create (),
                      shell ("exec \"$0\" --stdin --close-after-requests 2"));
  CHECK (nbd_flush (h, 0) == 0);
  CHECK (nbd_flush (h, 0) == 0);
  CHECK (nbd_flush (h, 0) == -1);
  CHECK (nbd_aio_is_dead (h) == 1 || nbd_aio_is_closed (h) == 1);
  nbd_close (h);

  /* Signals do not stop it, but the end of its input does. */
  use (connect_handle (
      nbd_create (),
      shell ("trap '' TERM INT HUP QUIT PIPE; exec \"$0\" --stdin")));
  /* It runs for a while after the end of its input. */
  use (connect_handle (nbd_create (), shell ("\"$0\" --stdin; sleep 0.1")));
  /* It keeps listening and ignores SIGTERM: the program must kill it. */
  h = nbd_create ();
  CHECK (setenv ("IGNORES", socket_path (), 1) == 0);
  CHECK (nbd_aio_connect_systemd_socket_activation (
             h, shell ("trap '' TERM INT HUP QUIT PIPE; : >\"$IGNORES\"; "
                       "while :; do sleep 0.02; done"))
         == 0);
  while (unlink (getenv ("IGNORES")) == -1)
    CHECK (nbd_poll (h, 10) >= 0);
  CHECK (nbd_kill_subprocess (h, SIGTERM) == 0);
  CHECK (nbd_poll (h, 50) >= 0);
  CHECK (nbd_aio_is_connecting (h) == 1);
  CHECK (nbd_kill_subprocess (h, SIGKILL) == 0);
  nbd_close (h);

  CHECK (waitpid (-1, NULL, WNOHANG) == -1 && errno == ECHILD);
  CHECK (descriptors () == before);
  CHECK (close (null) == 0 && close (saved) == 0);
  return 0;
}
