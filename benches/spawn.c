/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Starts a program repeatedly: spawn TIMES PROGRAM. Reports the total wall time
 * and CPU time, and the peak memory of a single run.
 */

#include <spawn.h>
#include <sys/wait.h>

#include "measure.h"

extern char **environ;

int
main (int argc, char *argv[])
{
  long times = argc > 2 ? atol (argv[1]) : 0;
  struct rusage usage;
  double start = wall_clock ();

  for (long n = 0; n < times; n++) {
    pid_t pid;
    int status;

    if (posix_spawn (&pid, argv[2], NULL, NULL, argv + 2, environ) != 0
        || waitpid (pid, &status, 0) != pid || status != 0) {
      fprintf (stderr, "%s: failed\n", argv[2]);
      return EXIT_FAILURE;
    }
  }
  start = wall_clock () - start;
  getrusage (RUSAGE_CHILDREN, &usage);
  printf ("{\"operations\": %ld, \"seconds\": %.9f, \"cpu\": %.6f, "
          "\"resident\": %ld}\n",
          times, start,
          seconds_of (usage.ru_utime) + seconds_of (usage.ru_stime),
          usage.ru_maxrss * 1024);
  return EXIT_SUCCESS;
}
