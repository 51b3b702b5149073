/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, threads share a handle as without: some issue batches and wait
 * with nbd_poll, some with loops of their own, some make synchronous calls, and
 * one turns batching off and on. Every command completes once.
 */
#include "../harness/batches.h"

#include <pthread.h>

#define THREADS 6
#define ROUNDS 150
#define BATCH 16
#define SIZE 4096

static struct nbd_handle *h;

struct worker {
  pthread_t thread;
  int number;
  int outstanding;
  char data[BATCH][SIZE];
};

static int
completion (void *user_data, int *error)
{
  struct worker *worker = user_data;

  CHECK (*error == 0);
  CHECK (__atomic_sub_fetch (&worker->outstanding, 1, __ATOMIC_ACQ_REL) >= 0);
  return 1;
}

/* Another thread may receive what this one waits for, so no wait is long. */
static void
wait_a_little (struct worker *worker)
{
  struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

  if (worker->number % 2)
    CHECK (nbd_poll (h, 1) >= 0);
  else {
    if (nbd_aio_get_direction (h) & LIBNBD_AIO_DIRECTION_WRITE)
      fd.events |= POLLOUT;
    CHECK (poll (&fd, 1, 1) >= 0);
    if (fd.revents & POLLIN)
      CHECK (nbd_aio_notify_read (h) == 0);
    else if (fd.revents & POLLOUT)
      CHECK (nbd_aio_notify_write (h) == 0);
  }
}

static void
issue_a_batch (struct worker *worker)
{
  nbd_completion_callback callback = { .callback = completion,
                                       .user_data = worker };

  worker->outstanding = BATCH;
  for (int i = 0; i < BATCH; ++i) {
    uint64_t offset = (worker->number * BATCH + i) * SIZE;

    CHECK ((worker->number & 2
                ? nbd_aio_pwrite (h, worker->data[i], SIZE, offset, callback, 0)
                : nbd_aio_pread (h, worker->data[i], SIZE, offset, callback, 0))
           > 0);
  }
  while (__atomic_load_n (&worker->outstanding, __ATOMIC_ACQUIRE) > 0)
    wait_a_little (worker);
}

static void *
work (void *arg)
{
  struct worker *worker = arg;

  for (int i = 0; i < ROUNDS; ++i) {
    if (worker->number < 4)
      issue_a_batch (worker);
    else if (worker->number == 4)
      CHECK (nbd_pread (h, worker->data[0], SIZE, 0, 0) == 0);
    else
      CHECK (nbd_ext_set_batching (h, i % 2) == 0);
  }
  return NULL;
}

int
main (void)
{
  static struct worker workers[THREADS];

  h = batching (connected ("--size", "1M"));
  for (int i = 0; i < THREADS; ++i) {
    workers[i].number = i;
    CHECK (pthread_create (&workers[i].thread, NULL, work, &workers[i]) == 0);
  }
  for (int i = 0; i < THREADS; ++i)
    CHECK (pthread_join (workers[i].thread, NULL) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
