/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A process forked while other threads write debug messages can still write its
 * own, for its own handles and for copies of its parent's.
 */
#include "../harness/harness.h"

#include <pthread.h>

/* AddressSanitizer's malloc does not work in a child of a process with threads.
 */
#ifdef __SANITIZE_ADDRESS__
#define THREADS 0
#else
#define THREADS 2
#endif

static bool finished;

static void *
writes (void *h)
{
  while (!__atomic_load_n (&finished, __ATOMIC_RELAXED))
    CHECK (nbd_aio_is_created (h) == 1);
  return NULL;
}

static void
child (struct nbd_handle *parents)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_set_full_info (h, true) == 0);
  nbd_close (h);
  CHECK (nbd_aio_is_created (parents) == 1);
}

int
main (void)
{
  int forks = getenv ("TEST_UNDER_VALGRIND") ? 10 : 300;
  pthread_t threads[THREADS + 1];
  struct nbd_handle *h;
  int saved = dup (2), null = open ("/dev/null", O_WRONLY | O_CLOEXEC);

  CHECK (dup2 (null, 2) == 2);
  CHECK (setenv ("LIBNBD_DEBUG", "1", 1) == 0);
  h = nbd_create ();
  for (int i = 0; i < THREADS; ++i)
    CHECK (pthread_create (&threads[i], NULL, writes, h) == 0);
  for (int i = 0; i < forks; ++i) {
    pid_t pid = fork ();
    int status;

    if (pid == 0) {
      alarm (20);
      child (h);
      /* valgrind would report an exit as a leak, since it looks for the
       * threads. */
      kill (getpid (), SIGKILL);
    }
    CHECK (pid > 0);
    CHECK (waitpid (pid, &status, 0) == pid);
    if (!WIFSIGNALED (status) || WTERMSIG (status) != SIGKILL) {
      dprintf (saved, "a child did not end\n");
      _exit (EXIT_FAILURE);
    }
  }
  __atomic_store_n (&finished, true, __ATOMIC_RELAXED);
  for (int i = 0; i < THREADS; ++i)
    CHECK (pthread_join (threads[i], NULL) == 0);
  nbd_close (h);
  CHECK (dup2 (saved, 2) == 2);
  close (saved);
  close (null);
  return 0;
}
