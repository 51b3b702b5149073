/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A process that was forked between issuing and waiting may close its copy of
 * the handle, or just exit: every request reaches the server once.
 * Source: libnbd(3) "Issuing asynchronous commands".
 */
#include "harness-bursts.h"

#include <sys/wait.h>

int
main (void)
{
  /* A child that does not close the handle leaks it, which valgrind sees. */
  bool must_close = getenv ("TEST_UNDER_VALGRIND") != NULL;

  for (int close_it = must_close; close_it < 2; ++close_it) {
    struct peer peer;
    int status;
    pid_t pid;
    struct nbd_handle *h = busy_handle (&peer);

    burst (h, 5);
    pid = fork ();
    CHECK (pid >= 0);
    if (pid == 0) {
      if (close_it)
        nbd_close (h);
      exit (0);
    }
    CHECK (waitpid (pid, &status, 0) == pid);
    CHECK (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    CHECK (nbd_poll (h, 0) == 0);
    expect_requests (&peer, 5);
    nbd_close (h);
    peer_close (&peer);
  }
  return 0;
}
