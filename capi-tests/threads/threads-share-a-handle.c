/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several threads use one handle at the same time, with synchronous and aio
 * calls: every call is atomic and gets its own result and error.
 * Source: libnbd(3), "Synchronous and asynchronous calls".
 */
#include "../harness/commands.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS 200

static struct nbd_handle *h;

static void *
use (void *arg)
{
  uint64_t number = (uintptr_t) arg, offset = number * 65536;
  char out[4096], in[4096];

  for (int i = 0; i < ROUNDS; ++i) {
    memset (out, 'a' + (i + number) % 26, sizeof out);
    if (i % 2)
      CHECK (nbd_pwrite (h, out, sizeof out, offset, 0) == 0);
    else {
      int64_t cookie = nbd_aio_pwrite (h, out, sizeof out, offset,
                                       NBD_NULL_COMPLETION, 0);
      int r;

      CHECK (cookie > 0);
      while ((r = nbd_aio_command_completed (h, cookie)) == 0)
        CHECK (nbd_poll (h, 1) >= 0);
      CHECK (r == 1);
    }
    CHECK (nbd_pread (h, in, sizeof in, offset, 0) == 0);
    CHECK (memcmp (in, out, sizeof in) == 0);
    CHECK_ERROR (nbd_pread (h, in, sizeof in, MIB + number, 0), EINVAL);
    CHECK_MESSAGE ("nbd_pread: request out of bounds");
  }
  return NULL;
}

int
main (void)
{
  pthread_t threads[THREADS];

  h = connected ("--size", "1M");
  for (uintptr_t i = 0; i < THREADS; ++i)
    CHECK (pthread_create (&threads[i], NULL, use, (void *) i) == 0);
  for (int i = 0; i < THREADS; ++i)
    CHECK (pthread_join (threads[i], NULL) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
  nbd_close (h);
  return 0;
}
