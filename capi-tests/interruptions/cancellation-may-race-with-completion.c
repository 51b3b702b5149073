/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Commands that are cancelled while their replies arrive either succeed with the
 * right data or fail with ECANCELED, and complete once.  Their memory is then
 * unused, and no later command gets their reply.  CANCELLATIONS in the
 * environment sets the number of commands of each thread.
 * Source: nbd_ext_cancel(3), nbd_ext_aio_cancel(3).
 */
#include "../harness/interruptions.h"

#include <pthread.h>

#include <sched.h>

#define COUNT 1024
#define DISK (64 * 1024)

static struct nbd_handle *h;
static long commands;
static bool ended;
static unsigned long succeeded, cancelled;

static bool
is_ended (void)
{
  return __atomic_load_n (&ended, __ATOMIC_SEQ_CST);
}

static void
add (unsigned long *counter)
{
  __atomic_add_fetch (counter, 1, __ATOMIC_SEQ_CST);
}

/* Waits for a random time, from nothing to about that of a round trip. */
static void
wait_a_little (unsigned *seed)
{
  int spins = rand_r (seed) % 64;

  for (int i = 0; i < spins; ++i)
    sched_yield ();
}

/* Each word of the disk is its own offset. */
static void
check_data (const uint64_t *data, uint64_t offset)
{
  for (size_t i = 0; i < COUNT / sizeof *data; ++i)
    CHECK (data[i] == offset + i * sizeof *data);
}

static uint64_t
random_offset (unsigned *seed)
{
  return rand_r (seed) % (DISK / COUNT) * COUNT;
}

static void *
read_synchronously (void *arg)
{
  unsigned seed = *(unsigned *) arg;

  for (long i = 0; i < commands; ++i) {
    uint64_t *data = malloc (COUNT), offset = random_offset (&seed);

    CHECK (data != NULL);
    if (nbd_pread (h, data, COUNT, offset, 0) == 0) {
      check_data (data, offset);
      add (&succeeded);
    } else {
      CHECK (nbd_get_errno () == ECANCELED);
      add (&cancelled);
    }
    memset (data, 'u', COUNT);
    free (data);
  }
  return NULL;
}

struct completion {
  int called, freed, error;
};

static int
on_completion (void *user_data, int *error)
{
  struct completion *completion = user_data;

  completion->error = *error;
  __atomic_add_fetch (&completion->called, 1, __ATOMIC_SEQ_CST);
  return 0;
}

static void
on_free (void *user_data)
{
  struct completion *completion = user_data;

  __atomic_add_fetch (&completion->freed, 1, __ATOMIC_SEQ_CST);
}

static void *
read_asynchronously (void *arg)
{
  unsigned seed = *(unsigned *) arg;

  for (long i = 0; i < commands; ++i) {
    uint64_t *data = malloc (COUNT), offset = random_offset (&seed);
    struct completion completion = { .error = -1 };
    nbd_completion_callback callback = { .callback = on_completion,
                                         .user_data = &completion,
                                         .free = on_free };
    int64_t cookie = nbd_aio_pread (h, data, COUNT, offset, callback, 0);
    int r;

    CHECK (data != NULL && cookie > 0);
    wait_a_little (&seed);
    r = nbd_ext_aio_cancel (h, cookie);
    CHECK (r == 0 || r == 1);
    CHECK (__atomic_load_n (&completion.called, __ATOMIC_SEQ_CST) == 1);
    CHECK (completion.error == (r == 1 ? ECANCELED : 0));
    if (r == 1) {
      CHECK (__atomic_load_n (&completion.freed, __ATOMIC_SEQ_CST) == 1);
      CHECK_ERROR (nbd_aio_command_completed (h, cookie), ECANCELED);
      add (&cancelled);
    } else {
      CHECK (nbd_aio_command_completed (h, cookie) == 1);
      CHECK (__atomic_load_n (&completion.freed, __ATOMIC_SEQ_CST) == 1);
      check_data (data, offset);
      add (&succeeded);
    }
    memset (data, 'u', COUNT);
    free (data);
  }
  return NULL;
}

static void *
cancel_calls (void *arg)
{
  unsigned seed = *(unsigned *) arg;

  while (!is_ended ()) {
    wait_a_little (&seed);
    CHECK (nbd_ext_cancel (h) == 0);
  }
  return NULL;
}

static void *
poll_calls (void *arg)
{
  while (!is_ended ())
    if (nbd_poll (h, 10) == -1)
      CHECK (nbd_get_errno () == ECANCELED);
  return arg;
}

static void
write_disk (void)
{
  static uint64_t data[DISK / sizeof (uint64_t)];

  for (size_t i = 0; i < ITEMS (data); ++i)
    data[i] = i * sizeof data[i];
  CHECK (nbd_pwrite (h, data, sizeof data, 0, 0) == 0);
}

int
main (void)
{
  void *(*const roles[]) (void *) = { read_synchronously, read_synchronously,
                                      read_asynchronously, cancel_calls,
                                      poll_calls };
  pthread_t threads[ITEMS (roles)];
  unsigned seeds[ITEMS (roles)];
  const char *count = getenv ("CANCELLATIONS");

  commands = count ? atol (count) : 1000;
  h = connected ("--size", "64K");
  write_disk ();
  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  for (size_t i = 0; i < ITEMS (roles); ++i) {
    seeds[i] = i;
    CHECK (pthread_create (&threads[i], NULL, roles[i], &seeds[i]) == 0);
  }
  for (size_t i = 0; i < ITEMS (roles); ++i) {
    if (roles[i] == cancel_calls)
      __atomic_store_n (&ended, true, __ATOMIC_SEQ_CST);
    CHECK (pthread_join (threads[i], NULL) == 0);
  }
  printf ("%lu succeeded, %lu were cancelled\n", succeeded, cancelled);
  CHECK (succeeded + cancelled == 3 * (unsigned long) commands);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  nbd_close (h);
  return 0;
}
