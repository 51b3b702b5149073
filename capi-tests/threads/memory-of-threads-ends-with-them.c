/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Per-thread memory of the library is freed when the thread ends, even if its
 * only calls are in a destructor of thread-specific data.
 */
#include "../harness/harness.h"

#include <malloc.h>
#include <pthread.h>

#define THREADS 64

static pthread_key_t key;
static char buf[4096];

static void
at_thread_end (void *h)
{
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  CHECK_NULL (nbd_get_meta_context (h, 7), EINVAL);
}

static void *
thread (void *h)
{
  CHECK (pthread_setspecific (key, h) == 0);
  return NULL;
}

static void
run (struct nbd_handle *h)
{
  pthread_t id;

  CHECK (pthread_create (&id, NULL, thread, h) == 0);
  CHECK (pthread_join (id, NULL) == 0);
}

static size_t
in_use (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");
  size_t before;

  CHECK (pthread_key_create (&key, at_thread_end) == 0);
  run (h);
  before = in_use ();
  for (int i = 0; i < THREADS; ++i)
    run (h);
  CHECK (in_use () < before + THREADS * 1024);
  nbd_close (h);
  return 0;
}
