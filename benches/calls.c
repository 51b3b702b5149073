/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counts the system calls of a program and its threads: calls PROGRAM [ARGUMENT...].
 * The kernel counts them at a tracepoint, which does not slow the program down. The
 * few that start the program are counted too.
 */

#include <inttypes.h>
#include <linux/perf_event.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENT "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id"

extern char **environ;

static void
give_up (const char *what)
{
  perror (what);
  exit (EXIT_FAILURE);
}

static uint64_t
number_of_event (void)
{
  FILE *file = fopen (EVENT, "r");
  uint64_t number;

  if (file == NULL || fscanf (file, "%" SCNu64, &number) != 1)
    give_up (EVENT);
  fclose (file);
  return number;
}

/* Counts for this process and for those that it starts from now on. */
static int
start_counting (void)
{
  struct perf_event_attr event = { .type = PERF_TYPE_TRACEPOINT,
                                   .size = sizeof event,
                                   .config = number_of_event (),
                                   .inherit = 1 };
  int fd = syscall (SYS_perf_event_open, &event, 0, -1, -1,
                    PERF_FLAG_FD_CLOEXEC);

  if (fd == -1)
    give_up ("perf_event_open");
  return fd;
}

int
main (int argc, char *argv[])
{
  int fd = start_counting (), status;
  uint64_t count;
  pid_t pid;

  if (argc < 2
      || posix_spawnp (&pid, argv[1], NULL, NULL, argv + 1, environ) != 0
      || waitpid (pid, &status, 0) != pid || status != 0)
    return EXIT_FAILURE;
  if (read (fd, &count, sizeof count) != sizeof count)
    give_up ("read");
  fprintf (stderr, "%" PRIu64 "\n", count);
  return EXIT_SUCCESS;
}
