/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Issued requests reach the server even if the process then calls _exit(2),
 * another thread calls exit(3), or daemon(3) continues in a child.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer-bursts.h"

#include <pthread.h>
#include <sys/wait.h>

#define REQUESTS 5

static void *
call_exit (void *arg)
{
  (void) arg;
  exit (0);
}

static void
end_by_underscore_exit (void)
{
  _exit (0);
}

static void
end_in_another_thread (void)
{
  pthread_t thread;

  CHECK (pthread_create (&thread, NULL, call_exit, NULL) == 0);
  for (;;)
    pause ();
}

static void
become_a_daemon (void)
{
  CHECK (daemon (1, 1) == 0);
  _exit (0);
}

static void (*const ways[]) (void) = {
  end_by_underscore_exit,
  end_in_another_thread,
  become_a_daemon,
};

int
main (void)
{
  /* Each of these processes exits with an open handle, which valgrind reports
   * as a leak.
   */
  if (getenv ("TEST_UNDER_VALGRIND"))
    return 0;
  for (size_t i = 0; i < ITEMS (ways); ++i) {
    struct peer peer;
    struct nbd_handle *h = busy_handle (&peer);
    pid_t pid = fork ();
    int status;

    CHECK (pid >= 0);
    if (pid == 0) {
      /* Busy in this process too. */
      wait_often_by_nbd_poll (h, &peer);
      burst (h, REQUESTS);
      ways[i]();
    }
    CHECK (waitpid (pid, &status, 0) == pid);
    CHECK (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    expect_requests (&peer, REQUESTS);
    nbd_close (h);
    peer_close (&peer);
  }
  return 0;
}
