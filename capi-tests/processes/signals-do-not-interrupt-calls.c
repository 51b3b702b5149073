/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* While a timer without SA_RESTART interrupts blocking calls thousands of
 * times, connecting in every way, commands, waiting for a server to exit and
 * failing to connect all work as usual.
 * Source: signal(7) "Interruption of system calls".
 */
#include "../harness/commands.h"
#include "../harness/signals.h"

static void
use (struct nbd_handle *h)
{
  static char buf[256 * 1024];

  CHECK (nbd_pwrite (h, buf, sizeof buf, 0, 0) == 0);
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  CHECK (nbd_flush (h, 0) == 0);
  CHECK (wait_for (h, nbd_aio_flush (h, NBD_NULL_COMPLETION, 0)) == 1);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

static char *
tcp_port (void)
{
  static char text[10];
  struct timeval limit = { .tv_sec = 20 };
  int pair[2], n;
  pid_t pid;
  char line[100] = "";

  CHECK (socketpair (AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  CHECK (setsockopt (pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)
         == 0);
  CHECK ((pid = fork ()) >= 0);
  if (pid == 0) {
    dup2 (pair[1], 1);
    execl (memserver (), memserver (), "--tcp", "127.0.0.1:0", "--size", "1M",
           "--exit-with-parent", "--send-size", "4096", NULL);
    _exit (127);
  }
  CHECK (recv (pair[0], line, sizeof line - 1, 0) > 0);
  CHECK (sscanf (strrchr (line, ':'), ":%d", &n) == 1);
  snprintf (text, sizeof text, "%d", n);
  return text;
}

int
main (void)
{
  const char *path = server_start ("--size", "1M", "--send-size", "4096");
  const char *port = tcp_port ();
  int rounds = getenv ("TEST_UNDER_VALGRIND") ? 2 : 20;
  char *slow[] = { "sh", "-c", "sleep 0.05; exec \"$0\" --stdin --size 1M",
                   memserver (), NULL };
  char *slow_to_end[] = { "sh", "-c", "\"$0\" --stdin --size 1M; sleep 0.05",
                          memserver (), NULL };
  char *listens[] = { memserver (), "--size", "1M", NULL };
  char *ends[] = { "sh", "-c", "sleep 0.02", NULL };

  interrupt_every (getenv ("TEST_UNDER_VALGRIND") ? 3000 : 200);
  for (int i = 0; i < rounds; ++i) {
    struct nbd_handle *h = nbd_create ();

    CHECK (nbd_connect_unix (h, path) == 0);
    use (h);
    h = nbd_create ();
    CHECK (nbd_connect_tcp (h, "127.0.0.1", port) == 0);
    use (h);
    h = nbd_create ();
    CHECK (nbd_connect_tcp (h, "localhost", port) == 0);
    use (h);
    use (connect_handle (nbd_create (), slow));
    use (connect_handle (nbd_create (), slow_to_end));
    h = nbd_create ();
    CHECK (nbd_connect_systemd_socket_activation (h, listens) == 0);
    use (h);
    h = nbd_create ();
    CHECK (nbd_connect_command (h, ends) == -1);
    CHECK (nbd_get_errno () != EINTR);
    nbd_close (h);
    h = nbd_create ();
    CHECK_ERROR (nbd_connect_unix (h, "/nonexistent/socket"), ENOENT);
    nbd_close (h);
    h = connected ("--size", "1M");
    CHECK (nbd_poll (h, 20) == 0);
    use (h);
  }
  interrupt_every (0);
  CHECK (signals > 100);
  return 0;
}
