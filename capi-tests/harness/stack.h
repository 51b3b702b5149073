/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thread with a stack as small as the system allows. */
#ifndef HARNESS_STACK_H
#define HARNESS_STACK_H

#include "commands.h"

#include <limits.h>
#include <pthread.h>

#define SMALL_STACK (16 * 1024)

static inline void *
issue_and_wait (void *handle)
{
  static char buf[64 * KIB];
  struct nbd_handle *h = handle;

  CHECK (nbd_pwrite (h, buf, sizeof buf, 0, 0) == 0);
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  CHECK (nbd_flush (h, 0) == 0);
  CHECK (wait_for (h, nbd_aio_pwrite (h, buf, sizeof buf, 0,
                                      NBD_NULL_COMPLETION, 0))
         == 1);
  CHECK (wait_for (h, nbd_aio_pread (h, buf, sizeof buf, 0, NBD_NULL_COMPLETION,
                                     0))
         == 1);
  CHECK_NULL (nbd_get_meta_context (h, 7), EINVAL);
  return NULL;
}

/* Issues, waits, reads and writes on a connected handle. */
static inline void
use_small_stack (struct nbd_handle *h)
{
  pthread_attr_t attributes;
  pthread_t thread;

  CHECK (pthread_attr_init (&attributes) == 0);
  /* 64-bit ARM does not allow such a small stack. */
  if (pthread_attr_setstacksize (&attributes, SMALL_STACK) != 0)
    CHECK (pthread_attr_setstacksize (&attributes, PTHREAD_STACK_MIN) == 0);
  CHECK (pthread_create (&thread, &attributes, issue_and_wait, h) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (pthread_attr_destroy (&attributes) == 0);
}

#endif /* HARNESS_STACK_H */
