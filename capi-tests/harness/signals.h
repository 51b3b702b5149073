/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A timer that interrupts any blocking call of this process: SIGURG without
 * SA_RESTART, as used by runtimes with their own scheduler.
 */
#ifndef HARNESS_SIGNALS_H
#define HARNESS_SIGNALS_H

#include "harness.h"

#include <time.h>

static volatile sig_atomic_t signals;

static void
on_signal (int signum)
{
  (void) signum;
  ++signals;
}

/* Starts the timer; 0 stops it. */
static inline void
interrupt_every (long microseconds)
{
  static timer_t timer;
  struct sigaction action = { .sa_handler = on_signal };
  struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                            .sigev_signo = SIGURG };
  struct timespec time = { .tv_nsec = microseconds * 1000 };
  struct itimerspec spec = { .it_value = time, .it_interval = time };

  if (timer == NULL) {
    CHECK (sigaction (SIGURG, &action, NULL) == 0);
    CHECK (timer_create (CLOCK_MONOTONIC, &event, &timer) == 0);
  }
  CHECK (timer_settime (timer, 0, &spec, NULL) == 0);
}

#endif /* HARNESS_SIGNALS_H */
