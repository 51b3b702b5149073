/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* On each of several handles, one thread polls, two issue commands whose
 * completion they learn in callbacks, one makes synchronous calls and one
 * queries, all at once; the callbacks make queries, too.  Every command
 * completes once, with its own data, or with an error if the server is killed
 * meanwhile.
 * Source: libnbd(3), "Threads"; nbd_poll2(3).
 */
#include "../harness/commands.h"

#include <pthread.h>
#include <sys/eventfd.h>

#define HANDLES 3
#define ISSUERS 2
#define DEPTH 16
#define LENGTH 1024

static struct shared {
  struct nbd_handle *h;
  int number, wake;
  int wanted; /* number of threads waiting to make a call */
  bool stop;
  int64_t issued, completed, failed;
  pthread_t poller, issuers[ISSUERS], caller, looker;
} handles[HANDLES];

static int rounds;
static bool killed;

struct slot {
  struct shared *shared;
  char buf[LENGTH];
  int busy; /* 1 while in flight */
  int error;
};

#define GET(variable) __atomic_load_n (&(variable), __ATOMIC_ACQUIRE)
#define SET(variable, value) \
  __atomic_store_n (&(variable), value, __ATOMIC_RELEASE)
#define ADD(variable) __atomic_add_fetch (&(variable), 1, __ATOMIC_ACQ_REL)

/* Makes every call that is allowed at any time and anywhere. */
static void
look (struct nbd_handle *h)
{
  uint64_t sent = nbd_stats_bytes_sent (h);

  CHECK (nbd_connection_state (h) != NULL);
  CHECK (nbd_aio_is_created (h) == 0);
  CHECK (nbd_aio_is_negotiating (h) == 0);
  CHECK (nbd_aio_is_ready (h) >= 0 && nbd_aio_is_processing (h) >= 0);
  CHECK (nbd_aio_is_dead (h) >= 0 && nbd_aio_is_closed (h) >= 0);
  CHECK (nbd_aio_get_direction (h) <= LIBNBD_AIO_DIRECTION_BOTH);
  CHECK (nbd_aio_in_flight (h) >= 0);
  CHECK (nbd_stats_chunks_sent (h) > 0);
  CHECK (nbd_stats_bytes_received (h) > 0);
  CHECK (nbd_stats_chunks_received (h) > 0);
  CHECK (nbd_stats_bytes_sent (h) >= sent);
  CHECK (nbd_get_private_data (h) == (uintptr_t) h);
}

static int
on_completion (void *user_data, int *error)
{
  struct slot *slot = user_data;

  look (slot->shared->h);
  slot->error = *error;
  ADD (slot->shared->completed);
  if (*error)
    ADD (slot->shared->failed);
  /* The slot may be reused from here on. */
  CHECK (__atomic_exchange_n (&slot->busy, 0, __ATOMIC_ACQ_REL) == 1);
  return 1;
}

static void
wake (struct shared *shared)
{
  CHECK (eventfd_write (shared->wake, 1) == 0);
}

/* Lets waiting calls go first, which the poller would not notice by itself. */
static void
take_turn (struct shared *shared)
{
  ADD (shared->wanted);
  wake (shared);
}

static void
end_turn (struct shared *shared)
{
  __atomic_sub_fetch (&shared->wanted, 1, __ATOMIC_ACQ_REL);
}

static void *
poll_it (void *arg)
{
  struct shared *shared = arg;
  eventfd_t count;

  while (!GET (shared->stop)) {
    if (nbd_poll2 (shared->h, shared->wake, LONG_ENOUGH) == -1) {
      CHECK (GET (killed));
      usleep (100);
    }
    (void) eventfd_read (shared->wake, &count);
    while (GET (shared->wanted) > 0)
      usleep (20);
  }
  return NULL;
}

static void *
issue (void *arg)
{
  struct shared *shared = arg;
  struct slot *slots = calloc (DEPTH, sizeof *slots);
  uint64_t base = (shared->number * 4 + 1) * 65536;

  CHECK (slots != NULL);
  for (int i = 0; i < rounds; ++i) {
    struct slot *slot = &slots[i % DEPTH];
    nbd_completion_callback completion = { on_completion, slot, NULL };
    uint64_t offset = base + (i % DEPTH) * LENGTH;
    int64_t cookie;

    while (GET (slot->busy))
      usleep (50);
    if (slot->error)
      break;
    slot->shared = shared;
    SET (slot->busy, 1);
    take_turn (shared);
    if (i / DEPTH % 2)
      cookie = nbd_aio_pread (shared->h, slot->buf, LENGTH, offset, completion,
                              0);
    else {
      memset (slot->buf, shared->number + 1, LENGTH);
      cookie = nbd_aio_pwrite (shared->h, slot->buf, LENGTH, offset, completion,
                               0);
    }
    end_turn (shared);
    if (cookie == -1) {
      CHECK (GET (killed));
      SET (slot->busy, 0);
      break;
    }
    ADD (shared->issued);
  }
  for (int i = 0; i < DEPTH; ++i) {
    while (GET (slots[i].busy))
      usleep (50);
    if (!GET (killed) && slots[i].shared)
      for (int j = 0; j < LENGTH; ++j)
        CHECK (slots[i].buf[j] == shared->number + 1);
  }
  free (slots);
  return NULL;
}

static void *
call (void *arg)
{
  struct shared *shared = arg;
  uint64_t offset = shared->number * 4 * 65536;
  char out[4096], in[4096];

  for (int i = 0; i < rounds / 4; ++i) {
    bool failed;

    memset (out, i, sizeof out);
    take_turn (shared);
    failed = nbd_pwrite (shared->h, out, sizeof out, offset, 0) == -1
             || nbd_pread (shared->h, in, sizeof in, offset, 0) == -1
             || nbd_flush (shared->h, 0) == -1;
    if (!failed) {
      CHECK (memcmp (in, out, sizeof in) == 0);
      CHECK_ERROR (nbd_pread (shared->h, in, sizeof in, 16 * MIB, 0), EINVAL);
    }
    end_turn (shared);
    if (failed) {
      CHECK (GET (killed));
      break;
    }
  }
  return NULL;
}

static void *
look_on (void *arg)
{
  struct shared *shared = arg;

  while (!GET (shared->stop)) {
    look (shared->h);
    usleep (50);
  }
  return NULL;
}

static void
start (pthread_t *thread, void *(*run) (void *), struct shared *shared)
{
  CHECK (pthread_create (thread, NULL, run, shared) == 0);
}

static void
finish (pthread_t thread)
{
  CHECK (pthread_join (thread, NULL) == 0);
}

static void
run (bool kill_it)
{
  SET (killed, false);
  for (int i = 0; i < HANDLES; ++i) {
    struct shared *shared = &handles[i];

    *shared = (struct shared) { .h = nbd_create (), .number = i };
    CHECK (shared->h != NULL);
    CHECK ((shared->wake = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC)) >= 0);
    nbd_set_private_data (shared->h, (uintptr_t) shared->h);
    connect_handle (shared->h,
                    server_command ("--size", "2M", "--shuffle", "4"));
    start (&shared->poller, poll_it, shared);
    start (&shared->caller, call, shared);
    start (&shared->looker, look_on, shared);
    for (int j = 0; j < ISSUERS; ++j)
      start (&shared->issuers[j], issue, shared);
  }
  if (kill_it) {
    for (int i = 0; i < HANDLES; ++i) {
      while (GET (handles[i].completed) < rounds / 2)
        usleep (100);
      SET (killed, true);
      take_turn (&handles[i]);
      CHECK (nbd_kill_subprocess (handles[i].h, SIGKILL) == 0);
      end_turn (&handles[i]);
    }
  }
  for (int i = 0; i < HANDLES; ++i) {
    struct shared *shared = &handles[i];

    for (int j = 0; j < ISSUERS; ++j)
      finish (shared->issuers[j]);
    finish (shared->caller);
    SET (shared->stop, true);
    wake (shared);
    finish (shared->poller);
    finish (shared->looker);
    CHECK (nbd_aio_in_flight (shared->h) == 0);
    CHECK (shared->completed == shared->issued);
    if (!kill_it) {
      CHECK (shared->failed == 0);
      CHECK (shared->issued == ISSUERS * rounds);
      CHECK (nbd_shutdown (shared->h, 0) == 0);
    }
    nbd_close (shared->h);
    CHECK (close (shared->wake) == 0);
  }
}

int
main (void)
{
  rounds = getenv ("TEST_UNDER_VALGRIND") ? 100 : 800;
  run (false);
  run (true);
  return 0;
}
