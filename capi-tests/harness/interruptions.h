/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Support for programs about calls that are interrupted: memory whose use after
 * that is a crash, and the three ways to interrupt a command.
 */
#ifndef HARNESS_INTERRUPTIONS_H
#define HARNESS_INTERRUPTIONS_H

#include "peer.h"

#include <libnbd-ext.h>

#include <pthread.h>
#include <sys/mman.h>

/* A limit in milliseconds for calls that the server does not answer. */
#define SHORT 3

/* Maps memory for a command. */
static inline char *
map (size_t size)
{
  char *memory = mmap (NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  CHECK (memory != MAP_FAILED);
  return memory;
}

enum interruption { TIMEOUT, CANCEL, AIO_CANCEL, INTERRUPTIONS };

/* A thread that cancels calls of a handle again and again, as one that has not
 * begun cannot be cancelled.
 */
struct canceller {
  struct nbd_handle *h;
  pthread_t thread;
  bool stop;
};

static inline void *
cancel_repeatedly (void *arg)
{
  struct canceller *canceller = arg;

  while (!__atomic_load_n (&canceller->stop, __ATOMIC_SEQ_CST)) {
    usleep (1000 * SHORT);
    CHECK (nbd_ext_cancel (canceller->h) == 0);
  }
  return NULL;
}

static inline void
begin_to_cancel (struct canceller *canceller, struct nbd_handle *h)
{
  *canceller = (struct canceller) { .h = h };
  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  CHECK (pthread_create (&canceller->thread, NULL, cancel_repeatedly, canceller)
         == 0);
}

static inline void
end_cancelling (struct canceller *canceller)
{
  __atomic_store_n (&canceller->stop, true, __ATOMIC_SEQ_CST);
  CHECK (pthread_join (canceller->thread, NULL) == 0);
  CHECK (nbd_ext_set_cancellable (canceller->h, false) == 0);
}

/* Makes a synchronous call, which must be interrupted in this way. */
static inline void
interrupt_call (struct nbd_handle *h, enum interruption how,
                int (*call) (struct nbd_handle *, void *), void *data)
{
  struct canceller canceller;

  if (how == TIMEOUT) {
    CHECK (nbd_ext_set_timeout (h, SHORT) == 0);
    CHECK_ERROR (call (h, data), ETIMEDOUT);
    CHECK (nbd_ext_set_timeout (h, 0) == 0);
    return;
  }
  CHECK (how == CANCEL);
  begin_to_cancel (&canceller, h);
  CHECK_ERROR (call (h, data), ECANCELED);
  end_cancelling (&canceller);
}

#endif /* HARNESS_INTERRUPTIONS_H */
