/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* 32 threads use one handle in every way at once: each reads back what it
 * wrote, and when the server is killed, each call fails and returns, and each
 * command completes once.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/commands.h"

#include <pthread.h>
#include <signal.h>

#define THREADS 32
#define ROUNDS 100
#define SIZE 4096

static struct nbd_handle *h;
static bool killed; /* or about to be */

struct worker {
  pthread_t thread;
  unsigned number;
  int issued, completed;
  char out[SIZE], in[SIZE];
};

static int
count_completion (void *user_data, int *error)
{
  struct worker *worker = user_data;

  CHECK (*error == 0 || killed);
  __atomic_add_fetch (&worker->completed, 1, __ATOMIC_RELEASE);
  return 1;
}

static int
count_extents (void *user_data, const char *context, uint64_t offset,
               uint32_t *entries, size_t count, int *error)
{
  (void) context, (void) offset, (void) entries, (void) error;
  *(size_t *) user_data += count;
  return 0;
}

/* Returns false if the server is gone, which is a failure before it is killed.
 */
static bool
went_well (int r)
{
  CHECK (r != -1 || killed);
  return r != -1;
}

static bool
write_and_read (struct worker *worker, int round)
{
  uint64_t offset = worker->number * 65536 + round % 16 * SIZE;

  memset (worker->out, round + worker->number, SIZE);
  if (!went_well (nbd_pwrite (h, worker->out, SIZE, offset, 0)))
    return false;
  memset (worker->in, 0, SIZE);
  if (!went_well (nbd_pread (h, worker->in, SIZE, offset, 0)))
    return false;
  CHECK (memcmp (worker->in, worker->out, SIZE) == 0);
  return true;
}

static bool
issue_and_poll (struct worker *worker)
{
  nbd_completion_callback completion = { .callback = count_completion,
                                         .user_data = worker };

  if (nbd_aio_pread (h, worker->in, SIZE, worker->number * 65536, completion, 0)
      == -1)
    return went_well (-1);
  ++worker->issued;
  /* Another thread may receive the reply; the buffer is not examined before. */
  while (__atomic_load_n (&worker->completed, __ATOMIC_ACQUIRE)
         < worker->issued)
    if (nbd_poll (h, 1) == -1)
      return went_well (-1);
  return true;
}

static bool
ask_for_extents (void)
{
  size_t count = 0;
  nbd_extent_callback extent = { .callback = count_extents,
                                 .user_data = &count };

  if (!went_well (nbd_block_status (h, 65536, 0, extent, 0)))
    return false;
  CHECK (count >= 2);
  return true;
}

static void *
work (void *arg)
{
  struct worker *worker = arg;

  for (int round = 0; round < ROUNDS || killed; ++round) {
    bool on;

    switch ((round + worker->number) % 8) {
    case 0:
      on = went_well (nbd_flush (h, 0));
      break;
    case 1:
      on = ask_for_extents ();
      break;
    case 2:
      on = issue_and_poll (worker);
      break;
    case 3:
      on = went_well (nbd_zero (h, SIZE, 4 << 20, 0));
      break;
    case 4:
      on = went_well (nbd_poll (h, 0));
      break;
    default:
      on = write_and_read (worker, round);
      break;
    }
    if (!on)
      break;
  }
  return NULL;
}

static void
run (bool kill_it)
{
  static struct worker workers[THREADS];
  int issued = 0, completed = 0;

  memset (workers, 0, sizeof workers);
  killed = false;
  h = nbd_create ();
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  connect_handle (h, server_command ("--size", "8M"));
  if (kill_it)
    killed = true;
  for (unsigned i = 0; i < THREADS; ++i) {
    workers[i].number = i;
    CHECK (pthread_create (&workers[i].thread, NULL, work, &workers[i]) == 0);
  }
  if (kill_it) {
    usleep (30000);
    CHECK (nbd_kill_subprocess (h, SIGKILL) == 0);
  }
  for (int i = 0; i < THREADS; ++i)
    CHECK (pthread_join (workers[i].thread, NULL) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
  nbd_close (h);
  for (int i = 0; i < THREADS; ++i) {
    issued += workers[i].issued;
    completed += workers[i].completed;
  }
  CHECK (issued == completed);
}

int
main (void)
{
  alarm (120);
  run (false);
  for (int i = 0; i < 5; ++i)
    run (true);
  return 0;
}
