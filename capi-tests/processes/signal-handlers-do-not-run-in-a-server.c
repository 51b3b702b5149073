/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A signal to the process group never runs a handler of the program in the
 * process that is about to become a server: the handler would act on the
 * program's pipes and files.
 * Source: posix_spawn(3), which keeps this promise.
 */
#include "../harness/harness.h"

static pid_t program;
static int in_child[2];

static void
on_signal (int signum)
{
  int kept = errno;

  (void) signum;
  if (getpid () != program)
    (void) !write (in_child[1], "x", 1);
  errno = kept;
}

/* Signals the process group until the program exits. */
static pid_t
start_signalling (void)
{
  pid_t group = getpgrp (), pid = fork ();

  CHECK (pid >= 0);
  if (pid == 0) {
    signal (SIGUSR1, SIG_IGN);
    while (getppid () == group) {
      kill (-group, SIGUSR1);
      usleep (50);
    }
    _exit (0);
  }
  return pid;
}

int
main (void)
{
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
  int rounds = getenv ("TEST_UNDER_VALGRIND") ? 20 : 1000;
  char *command[] = { "/bin/true", NULL };
  pid_t signalling;
  char byte;

  CHECK (setpgid (0, 0) == 0);
  program = getpid ();
  CHECK (pipe2 (in_child, O_CLOEXEC | O_NONBLOCK) == 0);
  CHECK (sigaction (SIGUSR1, &action, NULL) == 0);
  signalling = start_signalling ();
  for (int i = 0; i < rounds; ++i) {
    struct nbd_handle *h = nbd_create ();

    /* It may exit by itself or by the signal: it is not a server. */
    CHECK (nbd_aio_connect_command (h, command) == 0
           || nbd_get_errno () != EINTR);
    nbd_close (h);
  }
  CHECK (kill (signalling, SIGKILL) == 0);
  CHECK (waitpid (signalling, NULL, 0) == signalling);
  CHECK (read (in_child[0], &byte, 1) == -1 && errno == EAGAIN);
  return 0;
}
