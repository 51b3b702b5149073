/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A single thread needs no eventfd.  Threads that share a handle create a few,
 * reuse them, and leave at most one open.  A child of fork creates its own.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/commands.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#define MOST_KEPT 1
#define MANY 32
#define ROUNDS 500

static struct nbd_handle *h;
static int made;

/* The library calls this function. */
int
eventfd (unsigned value, int flags)
{
  __atomic_add_fetch (&made, 1, __ATOMIC_RELAXED);
  return syscall (SYS_eventfd2, value, flags);
}

static int
open_eventfds (void)
{
  DIR *directory = opendir ("/proc/self/fd");
  struct dirent *entry;
  int count = 0;

  CHECK (directory != NULL);
  while ((entry = readdir (directory)) != NULL) {
    char target[64] = "";

    if (readlinkat (dirfd (directory), entry->d_name, target, sizeof target - 1)
        > 0)
      count += strstr (target, "eventfd") != NULL;
  }
  closedir (directory);
  return count;
}

static void *
read_often (void *arg)
{
  char buf[512];

  for (int i = 0; i < ROUNDS; ++i)
    CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  return arg;
}

static void
read_in_threads (int count)
{
  pthread_t threads[MANY];

  for (int i = 0; i < count; ++i)
    CHECK (pthread_create (&threads[i], NULL, read_often, NULL) == 0);
  for (int i = 0; i < count; ++i)
    CHECK (pthread_join (threads[i], NULL) == 0);
}

static void
use_in_child (void)
{
  bool good;
  int status;
  pid_t pid = fork ();

  CHECK (pid >= 0);
  if (pid == 0) {
    made = 0;
    for (int i = 0; i < 100 && made == 0; ++i)
      read_in_threads (2);
    good = made > 0 && open_eventfds () <= MOST_KEPT;
    nbd_close (h);
    _exit (good ? 0 : 1);
  }
  CHECK (waitpid (pid, &status, 0) == pid);
  CHECK (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

int
main (void)
{
  int before = open_eventfds ();

  h = connected ("--size", "1M");
  read_often (NULL);
  CHECK (made == 0 && open_eventfds () == before);
  for (int i = 0; i < 10; ++i)
    read_in_threads (2);
  /* One thread sleeps while the other one waits for the server, 10,000 times.
   */
  CHECK (made <= 100);
  read_in_threads (MANY);
  CHECK (open_eventfds () - before <= MOST_KEPT);
  use_in_child ();
  nbd_close (h);
  CHECK (open_eventfds () == before);
  return 0;
}
