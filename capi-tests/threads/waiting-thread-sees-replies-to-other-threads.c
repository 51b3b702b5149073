/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One thread waits for the descriptor; another one, which used to wait itself,
 * issues bursts and makes no other call until each burst has completed.
 * Source: libnbd(3), "Asynchronous commands".
 */
#include "../harness/commands.h"

#include <pthread.h>

#define ROUNDS 300
#define BURST 8

static struct nbd_handle *h;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static int completed;
static bool stop;

static int
completion (void *user_data, int *error)
{
  (void) user_data;
  CHECK (*error == 0);
  pthread_mutex_lock (&lock);
  ++completed;
  pthread_cond_signal (&done);
  pthread_mutex_unlock (&lock);
  return 1;
}

static void *
waiter (void *arg)
{
  struct pollfd fd = { .fd = nbd_aio_get_fd (h) };

  (void) arg;
  while (!__atomic_load_n (&stop, __ATOMIC_ACQUIRE)) {
    unsigned direction = nbd_aio_get_direction (h);

    fd.events = POLLIN;
    if (direction & LIBNBD_AIO_DIRECTION_WRITE)
      fd.events |= POLLOUT;
    CHECK (poll (&fd, 1, 50) >= 0);
    /* The other thread may have acted in the meantime. */
    if (fd.revents & POLLIN)
      nbd_aio_notify_read (h);
    else if (fd.revents & POLLOUT)
      nbd_aio_notify_write (h);
  }
  return NULL;
}

int
main (void)
{
  static char data[BURST][512];
  pthread_t thread;

  h = connected ("--size", "1M");
  for (int i = 0; i < 50; ++i) {
    for (int j = 0; j < BURST; ++j)
      CHECK (nbd_aio_pread (h, data[j], 512, 512 * j, NBD_NULL_COMPLETION, 0)
             > 0);
    wait_for_all (h);
  }

  CHECK (pthread_create (&thread, NULL, waiter, NULL) == 0);
  for (int i = 0; i < ROUNDS; ++i) {
    pthread_mutex_lock (&lock);
    completed = 0;
    pthread_mutex_unlock (&lock);
    for (int j = 0; j < BURST; ++j)
      CHECK (nbd_aio_pread (h, data[j], 512, 512 * j,
                            (nbd_completion_callback) {
                                .callback = completion },
                            0)
             > 0);
    pthread_mutex_lock (&lock);
    while (completed < BURST)
      CHECK (pthread_cond_wait (&done, &lock) == 0);
    pthread_mutex_unlock (&lock);
  }
  __atomic_store_n (&stop, true, __ATOMIC_RELEASE);
  CHECK (pthread_join (thread, NULL) == 0);
  nbd_close (h);
  return 0;
}
