/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Other threads fork continuously, without exec, and their children live on.
 * The end of a server is detected nevertheless: calls that run a server return
 * at once, and so does nbd_shutdown.
 */
#include "../harness/harness.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define THREADS 2
#define MOST 100 /* children of a thread */

static int forked; /* number of threads that have forked enough */
static bool finished;

/* Forks a child that lives until it is killed, or at most as long as the thread
 * that forks it.
 */
static pid_t
fork_child (void)
{
  pid_t pid = fork ();

  if (pid == 0) {
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
      pause ();
  }
  CHECK (pid > 0);
  return pid;
}

static void *
forks_often (void *children)
{
  pid_t pids[MOST];
  int count = *(int *) children;

  for (int i = 0; i < count; ++i) {
    pids[i] = fork_child ();
    usleep (500);
  }
  __atomic_add_fetch (&forked, 1, __ATOMIC_RELAXED);
  while (!__atomic_load_n (&finished, __ATOMIC_RELAXED))
    usleep (1000);
  for (int i = 0; i < count; ++i) {
    kill (pids[i], SIGKILL);
    CHECK (waitpid (pids[i], NULL, 0) == pids[i]);
  }
  return NULL;
}

static void
use_command (void)
{
  struct nbd_handle *h = connected ("--size", "1M");

  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

static void
cannot_run (void)
{
  char *missing[] = { "/nonexistent/server", NULL };
  char *ends[] = { "true", NULL };
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_connect_command (h, missing) == -1);
  nbd_close (h);
  h = nbd_create ();
  CHECK (nbd_connect_command (h, ends) == -1);
  nbd_close (h);
}

static void
use_socket_activation (void)
{
  char *serves[] = { memserver (), "--size", "1M", NULL };
  char *ends[] = { "true", NULL };
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_connect_systemd_socket_activation (h, serves) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  h = nbd_create ();
  CHECK_ERROR (nbd_connect_systemd_socket_activation (h, ends), ECONNRESET);
  nbd_close (h);
}

int
main (void)
{
  int children = getenv ("TEST_UNDER_VALGRIND") ? 10 : MOST;
  pthread_t threads[THREADS];

  for (int i = 0; i < THREADS; ++i)
    CHECK (pthread_create (&threads[i], NULL, forks_often, &children) == 0);
  do {
    use_command ();
    cannot_run ();
    use_socket_activation ();
  } while (__atomic_load_n (&forked, __ATOMIC_RELAXED) < THREADS);
  __atomic_store_n (&finished, true, __ATOMIC_RELAXED);
  for (int i = 0; i < THREADS; ++i)
    CHECK (pthread_join (threads[i], NULL) == 0);
  return 0;
}
