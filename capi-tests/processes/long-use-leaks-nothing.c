/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After many connections of every kind, with every command, fault and ending,
 * the process has as many descriptors, threads and children as before, and its
 * memory has not grown beyond the allowance below.  `make soak` runs for
 * SOAK_SECONDS; otherwise there is a fixed number of rounds.
 * Source: nbd_close(3), which frees everything that belongs to a handle.
 */
#include "../harness/soak.h"

#include <pthread.h>
#include <time.h>

/* Permitted growth after the first rounds, which does not depend on the number
 * of rounds: memory cached by the allocator, and for each of the three threads
 * another receive buffer.
 */
#define HEAP_ALLOWANCE ((64 + 3 * 128) * KIB)
#define RESIDENT_ALLOWANCE (4 * MIB)

/* Sanitizers have memory and threads of their own. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define DEPTH 32
#define SIZE 16384

static char faults[200][40];
static size_t nr_faults;
static const char *path;
static char buffers[DEPTH][SIZE];
static struct {
  uint64_t connections, refused, commands, failed, closures;
} totals;
static uint64_t freed;

static int
on_list (void *user_data, const char *name, const char *description)
{
  (void) user_data, (void) name, (void) description;
  return 0;
}

static int
on_context (void *user_data, const char *name)
{
  (void) user_data, (void) name;
  return 0;
}

static int
on_chunk (void *user_data, const void *bytes, size_t count, uint64_t offset,
          unsigned status, int *error)
{
  (void) user_data, (void) bytes, (void) count, (void) offset, (void) status;
  (void) error;
  return 0;
}

static int
on_extent (void *user_data, const char *context, uint64_t offset,
           nbd_extent *entries, size_t count, int *error)
{
  (void) user_data, (void) context, (void) offset, (void) entries;
  (void) count, (void) error;
  return 0;
}

/* Some retire the command, some change the error. */
static int
on_completion (void *user_data, int *error)
{
  (void) user_data;
  if (*error)
    ++totals.failed;
  switch (chance (4)) {
  case 0:
    return 1;
  case 1:
    *error = EDOM;
    return -1;
  }
  return 0;
}

static void
on_free (void *user_data)
{
  ++*(uint64_t *) user_data;
}

static void *
one_more_closure (void)
{
  ++totals.closures;
  return &freed;
}

#define CLOSURE(type, function) \
  ((nbd_##type##_callback) { function, one_more_closure (), on_free })

static void
issue (struct nbd_handle *h, int i, bool may_wait)
{
  uint64_t offset = chance (64) * SIZE, length = 1 + chance (SIZE);
  char *buf = buffers[i];

  ++totals.commands;
  switch (chance (8)) {
  case 0:
    nbd_aio_pread (h, buf, length, offset, CLOSURE (completion, on_completion),
                   0);
    break;
  case 1:
    nbd_aio_pread_structured (h, buf, length, offset, CLOSURE (chunk, on_chunk),
                              CLOSURE (completion, on_completion), 0);
    break;
  case 2:
    nbd_aio_pwrite (h, buf, length, offset, CLOSURE (completion, on_completion),
                    0);
    break;
  case 3:
    nbd_aio_block_status_64 (h, length, offset, CLOSURE (extent64, on_extent),
                             CLOSURE (completion, on_completion), 0);
    break;
  case 4:
    nbd_aio_zero (h, length, offset, CLOSURE (completion, on_completion), 0);
    break;
  case 5:
    nbd_aio_trim (h, length, offset, CLOSURE (completion, on_completion), 0);
    break;
  case 6:
    if (may_wait)
      nbd_pread (h, buf, length, offset, 0);
    break;
  default:
    nbd_aio_flush (h, CLOSURE (completion, on_completion), 0);
  }
}

static void
negotiate (struct nbd_handle *h)
{
  if (chance (2))
    nbd_opt_list (h, CLOSURE (list, on_list));
  if (chance (2) && nbd_aio_is_negotiating (h) == 1)
    nbd_opt_list_meta_context (h, CLOSURE (context, on_context));
  if (chance (2) && nbd_aio_is_negotiating (h) == 1)
    nbd_opt_info (h);
  if (nbd_aio_is_negotiating (h) == 1) {
    if (chance (8) == 0)
      nbd_opt_abort (h);
    else
      nbd_opt_go (h);
  }
}

/* Runs a random selection of commands, waits, retirements and endings.  Only if
 * the server answers may a call wait for it.
 */
static void
use (struct nbd_handle *h, bool may_wait)
{
  if (nbd_aio_is_negotiating (h) == 1)
    negotiate (h);
  for (int i = 0; i < DEPTH && nbd_aio_is_ready (h) == 1; ++i) {
    issue (h, i, may_wait);
    if (chance (8) == 0)
      nbd_poll (h, 0);
  }
  while (nbd_aio_in_flight (h) > 0 && chance (100) > 0)
    if (nbd_poll (h, 5) != 1)
      break;
  while (chance (3) > 0) {
    int64_t cookie = nbd_aio_peek_command_completed (h);

    if (cookie <= 0)
      break;
    nbd_aio_command_completed (h, cookie);
  }
  if (may_wait && chance (2))
    nbd_shutdown (h, 0);
  else if (chance (2) && nbd_aio_is_ready (h) == 1)
    nbd_aio_disconnect (h, 0);
}

static struct nbd_handle *
create (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (h != NULL);
  nbd_set_request_extended_headers (h, chance (2));
  nbd_set_request_structured_replies (h, chance (4) > 0);
  nbd_set_opt_mode (h, chance (3) == 0);
  nbd_add_meta_context (h, "base:allocation");
  nbd_add_meta_context (h, "x:two");
  nbd_set_strict_mode (h, chance (4) ? LIBNBD_STRICT_MASK : 0);
  if (chance (4) == 0) {
    nbd_set_tls (h, LIBNBD_TLS_ALLOW);
    nbd_set_tls_verify_peer (h, false);
  }
  return h;
}

static void *
read_a_bit (void *arg)
{
  char buf[512];

  nbd_pread (arg, buf, sizeof buf, 0, 0);
  return NULL;
}

static void
one_round (void)
{
  struct nbd_handle *h = create (), *other;
  bool may_wait = true;
  char number[30], fault[50];
  char *argv[] = { memserver (), "--stdin",   "--size",
                   "1M",         "--context", "x:two=4096:1,4096:2",
                   NULL,         NULL,        NULL,
                   NULL };
  pthread_t threads[3];
  int r = -1;

  switch (chance (10)) {
  case 0:
    r = nbd_connect_unix (h, path);
    break;
  case 1:
    argv[1] = "--lax-payload-flag";
    r = nbd_connect_systemd_socket_activation (h, argv);
    break;
  case 2:
    r = nbd_connect_unix (h, "/nonexistent/socket");
    break;
  case 3:
    r = nbd_connect_uri (h, chance (2) ? "nbd+unix:///%zz" : "nbd+unix:///");
    break;
  case 4:
    argv[6] = chance (2) ? "--close-after" : "--close-after-requests";
    snprintf (number, sizeof number, "%d", (int) chance (2000));
    argv[7] = number;
    r = nbd_connect_command (h, argv);
    break;
  case 5:
    may_wait = false;
    argv[6] = "--stall-after";
    snprintf (number, sizeof number, "%d", (int) chance (2000));
    argv[7] = number;
    r = nbd_aio_connect_command (h, argv);
    while (r == 0 && nbd_aio_is_connecting (h) == 1)
      if (nbd_poll (h, 5) != 1)
        break;
    if (nbd_aio_is_connecting (h) == 1 || nbd_aio_is_negotiating (h) == 1)
      r = -1;
    break;
  case 6:
    /* Threads that start and end. */
    r = nbd_connect_unix (h, path);
    other = nbd_create ();
    CHECK (other != NULL && nbd_connect_unix (other, path) == 0);
    for (int i = 0; i < 3; ++i)
      CHECK (pthread_create (&threads[i], NULL, read_a_bit, other) == 0);
    for (int i = 0; i < 3; ++i)
      CHECK (pthread_join (threads[i], NULL) == 0);
    nbd_close (other);
    break;
  default:
    may_wait = false;
    argv[6] = "--fault";
    snprintf (fault, sizeof fault, "%s%s", faults[chance (nr_faults)],
              chance (2) ? ":2" : "");
    argv[7] = fault;
    r = nbd_aio_connect_command (h, argv);
    while (r == 0 && nbd_aio_is_connecting (h) == 1)
      if (nbd_poll (h, 20) != 1)
        break;
    if (nbd_aio_is_negotiating (h) == 1 || nbd_aio_is_connecting (h) == 1)
      r = -1;
  }
  ++*(r == 0 ? &totals.connections : &totals.refused);
  if (r == 0)
    use (h, may_wait);
  nbd_close (h);
  CHECK (freed == totals.closures);
  CHECK (waitpid (-1, NULL, WNOHANG) <= 0);
}

static double
now (void)
{
  struct timespec time;

  CHECK (clock_gettime (CLOCK_MONOTONIC, &time) == 0);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int
main (void)
{
  const char *seconds = getenv ("SOAK_SECONDS");
  bool slow = getenv ("TEST_UNDER_VALGRIND") != NULL;
  int warm_up = slow ? 20 : 400, rounds = slow ? 40 : 800, done = 0;
  struct holdings first = take_stock (), before, after;
  double end;

  nr_faults = all_faults (faults, ITEMS (faults));
  path = server_start ("--size", "1M", "--context", "x:two=4096:1,4096:2");
  if (seconds) {
    /* Each round has its own time limit, less than half a minute. */
    alarm (0);
    warm_up = 2000;
  }
  for (int i = 0; i < warm_up; ++i)
    one_round ();
  before = take_stock ();
  end = seconds ? now () + atof (seconds) : 0;
  for (; seconds ? now () < end : done < rounds; ++done)
    one_round ();
  after = take_stock ();

  printf ("%d rounds: %" PRIu64 " connections, %" PRIu64
          " that failed, %" PRIu64 " commands, %" PRIu64
          " of them failed, %" PRIu64 " closures\n",
          warm_up + done, totals.connections, totals.refused, totals.commands,
          totals.failed, totals.closures);
  printf ("descriptors %zu -> %zu, threads %zu -> %zu, heap %zu -> %zu, "
          "resident %zu -> %zu\n",
          before.descriptors, after.descriptors, before.threads, after.threads,
          before.heap, after.heap, before.resident, after.resident);
  CHECK (after.descriptors == before.descriptors);
  CHECK (after.threads == before.threads);
  /* The one remaining child is the server at `path`. */
  CHECK (kill (server_pid, SIGTERM) == 0);
  CHECK (waitpid (-1, NULL, 0) == server_pid);
  server_pid = 0;
  CHECK (waitpid (-1, NULL, WNOHANG) == -1 && errno == ECHILD);
  if (!SANITIZED)
    CHECK (after.threads == first.threads);
  if (!SANITIZED && !slow) {
    CHECK (after.heap <= before.heap + HEAP_ALLOWANCE);
    /* An emulator caches translated code. */
    CHECK (getenv ("TEST_UNDER_EMULATOR")
           || after.resident <= before.resident + RESIDENT_ALLOWANCE);
  }
  return 0;
}
