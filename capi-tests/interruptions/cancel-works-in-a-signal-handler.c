/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_ext_cancel in a signal handler ends the call that the signal has
 * interrupted.  The signal may arrive at any instruction, and the handler may have
 * SA_RESTART and an alternate stack.  nbd_ext_cancel does not change errno.
 * Source: nbd_ext_cancel(3).
 */
#include "../harness/interruptions.h"

#include <time.h>

static struct nbd_handle *volatile target;
static int pipe_fds[2];
static volatile sig_atomic_t handled, failed;

static void
on_timer (int signum)
{
  int interrupted = errno;

  (void) signum;
  errno = 1234;
  if (nbd_ext_cancel (target) != 0 || errno != 1234)
    ++failed;
  ++handled;
  errno = interrupted;
}

/* Sends SIGURG all the time. 0 stops it, and a signal that is on its way is
 * ignored.
 */
static void
send_signals (int flags, long nanoseconds)
{
  static timer_t timer;
  struct sigaction action = { .sa_handler = nanoseconds ? on_timer : SIG_IGN,
                              .sa_flags = flags };
  struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                            .sigev_signo = SIGURG };
  struct timespec time = { .tv_nsec = nanoseconds };
  struct itimerspec spec = { .it_value = time, .it_interval = time };

  if (timer == NULL)
    CHECK (timer_create (CLOCK_MONOTONIC, &event, &timer) == 0);
  CHECK (sigaction (SIGURG, &action, NULL) == 0);
  CHECK (timer_settime (timer, 0, &spec, NULL) == 0);
}

#define INTERRUPTED(flags, call) \
  do { \
    send_signals (flags, 700000); \
    CHECK_ERROR (call, ECANCELED); \
    send_signals (flags, 0); \
    CHECK (handled > 0 && failed == 0); \
    handled = 0; \
  } while (0)

static struct nbd_handle *
cancellable (struct nbd_handle *h)
{
  CHECK (h != NULL);
  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  target = h;
  return h;
}

/* A server that only sends its greeting. */
static void
negotiation (int flags)
{
  struct nbd_handle *h = cancellable (in_opt_mode (nbd_create ()));
  int server, client;

  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  client = scripted_server (GREETING_FIXED, GREETING_SIZE, &server);
  CHECK (nbd_connect_socket (h, client) == 0);
  INTERRUPTED (flags, nbd_opt_info (h));
  CHECK (nbd_aio_is_connecting (h) == 1);
  nbd_close (h);
  CHECK (close (server) == 0);

  h = cancellable (nbd_create ());
  client = scripted_server ("", 0, &server);
  INTERRUPTED (flags, nbd_connect_socket (h, client));
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  CHECK (close (server) == 0);
}

static void
transmission (int flags)
{
  struct peer peer = { .replies = STRUCTURED, .contexts = 1 };
  struct record record = { .result = 0 };
  struct nbd_handle *h = cancellable (nbd_create ());
  char *data = map (512);

  peer_connect (h, &peer);
  for (int i = 0; i < 20; ++i) {
    INTERRUPTED (flags, nbd_pread (h, data, 512, 0, 0));
    INTERRUPTED (flags, nbd_poll (h, -1));
    INTERRUPTED (flags, nbd_poll2 (h, pipe_fds[0], LONG_ENOUGH));
  }
  CHECK (munmap (data, 512) == 0);
  INTERRUPTED (flags, nbd_block_status (h, 512, 0, EXTENT (&record), 0));
  CHECK_RECORD (record, "m");
  CHECK (nbd_aio_is_ready (h) == 1);
  INTERRUPTED (flags, nbd_shutdown (h, 0));
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  static const int flags[] = { 0, SA_RESTART, SA_RESTART | SA_ONSTACK };
  stack_t stack = { .ss_size = 64 * KIB, .ss_sp = map (64 * KIB) };
  struct nbd_handle *h = nbd_create ();

  CHECK (pipe2 (pipe_fds, O_CLOEXEC) == 0);
  errno = 0;
  CHECK (nbd_ext_cancel (h) == -1 && errno == EINVAL);
  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  CHECK (nbd_ext_get_cancellable (h) == 1);
  CHECK (nbd_ext_cancel (h) == 0);
  CHECK (nbd_ext_set_cancellable (h, false) == 0);
  CHECK (nbd_ext_get_cancellable (h) == 0);
  CHECK (nbd_ext_cancel (h) == -1 && errno == EINVAL);
  nbd_close (h);

  CHECK (sigaltstack (&stack, NULL) == 0);
  for (size_t i = 0; i < ITEMS (flags); ++i) {
    negotiation (flags[i]);
    transmission (flags[i]);
  }
  return 0;
}
