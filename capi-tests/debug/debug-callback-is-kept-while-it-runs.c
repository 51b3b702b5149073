/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A debug callback that is replaced or cleared while another thread runs it is
 * freed after it has returned.
 */
#include "../harness/harness.h"

#include <pthread.h>

static pthread_barrier_t in_callback, replaced;
static int freed;

static int
waits (void *user_data, const char *context, const char *msg)
{
  (void) user_data;
  if (strcmp (context, "nbd_aio_is_created") == 0
      && strncmp (msg, "enter", 5) == 0) {
    pthread_barrier_wait (&in_callback);
    pthread_barrier_wait (&replaced);
    CHECK (__atomic_load_n (&freed, __ATOMIC_SEQ_CST) == 0);
  }
  return 0;
}

static int
ignore (void *user_data, const char *context, const char *msg)
{
  (void) user_data;
  (void) context;
  (void) msg;
  return 0;
}

static void *
looks (void *h)
{
  CHECK (nbd_aio_is_created (h) == 1);
  CHECK (freed == 1);
  return NULL;
}

static void
run (bool clear)
{
  struct nbd_handle *h = nbd_create ();
  pthread_t thread;
  int other = 0;

  freed = 0;
  CHECK (nbd_set_debug_callback (h, (nbd_debug_callback) { .callback = waits,
                                                           .user_data = &freed,
                                                           .free = count_free })
         == 0);
  CHECK (nbd_set_debug (h, true) == 0);
  CHECK (pthread_create (&thread, NULL, looks, h) == 0);
  pthread_barrier_wait (&in_callback);
  if (clear) {
    CHECK (nbd_set_debug (h, false) == 0);
    CHECK (nbd_clear_debug_callback (h) == 0);
  } else
    CHECK (nbd_set_debug_callback (h,
                                   (nbd_debug_callback) { .callback = ignore,
                                                          .user_data = &other,
                                                          .free = count_free })
           == 0);
  pthread_barrier_wait (&replaced);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (freed == 1 && other == 0);
  nbd_close (h);
  CHECK (freed == 1 && other == !clear);
}

int
main (void)
{
  CHECK (pthread_barrier_init (&in_callback, NULL, 2) == 0);
  CHECK (pthread_barrier_init (&replaced, NULL, 2) == 0);
  run (false);
  run (true);
  return 0;
}
