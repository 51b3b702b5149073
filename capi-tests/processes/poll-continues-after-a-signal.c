/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A signal that arrives while nbd_poll waits does not make it fail.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/commands.h"

#include <sys/time.h>

static volatile sig_atomic_t signals;

static void
on_signal (int signum)
{
  (void) signum;
  ++signals;
}

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M", "--delay", "400");
  struct sigaction action = { .sa_handler = on_signal };
  struct itimerval timer = { .it_value = { .tv_usec = 50000 },
                             .it_interval = { .tv_usec = 50000 } };
  char buf[512];

  CHECK (sigaction (SIGALRM, &action, NULL) == 0);
  CHECK (setitimer (ITIMER_REAL, &timer, NULL) == 0);
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  CHECK (signals > 0);
  memset (&timer, 0, sizeof timer);
  CHECK (setitimer (ITIMER_REAL, &timer, NULL) == 0);
  timer.it_value.tv_usec = 50000;
  CHECK (setitimer (ITIMER_REAL, &timer, NULL) == 0);
  CHECK (nbd_poll (h, 200) == 0);
  nbd_close (h);
  return 0;
}
