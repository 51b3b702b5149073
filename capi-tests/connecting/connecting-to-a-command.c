/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A command is run with the connection as its standard input and output, and
 * with no other descriptor of the program; its process id can be queried, and
 * nbd_close waits for it.
 *
 * Source: nbd_connect_command(3), nbd_aio_connect_command(3),
 * nbd_get_subprocess_pid(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct nbd_handle *other;
  int64_t pid;
  char script[512];
  int fd;

  CHECK_ERROR (nbd_get_subprocess_pid (h), ESRCH);
  CHECK (nbd_aio_connect_command (h, server_command ("--size", "1M")) == 0);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, -1) == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  pid = nbd_get_subprocess_pid (h);
  CHECK (pid > 0);
  CHECK (kill (pid, 0) == 0);
  nbd_close (h);
  CHECK (kill (pid, 0) == -1 && errno == ESRCH);

  /* The shell refuses to serve if it has another socket: neither one that this
   * program was started with, nor that of a second handle.
   */
  for (fd = 3; fd < 100; ++fd)
    close (fd);
  other = connected ("--size", "1M");
  snprintf (script, sizeof script,
            "test -S /proc/self/fd/0 || exit 1; "
            "test -S /proc/self/fd/1 || exit 1; "
            "for fd in /proc/$$/fd/*; do case ${fd##*/} in "
            "[012]) ;; *) test -S $fd && exit 1;; esac; done; "
            "exec '%s' --stdin --size 2M",
            memserver ());
  h = nbd_create ();
  CHECK (nbd_connect_command (h, (char *[]) { "sh", "-c", script, NULL }) == 0);
  CHECK (nbd_get_size (h) == 2 << 20);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (nbd_get_subprocess_pid (h) > 0);
  nbd_close (h);
  nbd_close (other);
  return 0;
}
