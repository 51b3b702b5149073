/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The clocks of every benchmark program, and its report: one line of JSON.
 */

#ifndef MEASURE_H
#define MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

struct moment {
  double wall; /* seconds */
  double cpu;  /* seconds, user and system */
};

static inline double
seconds_of (struct timeval time)
{
  return time.tv_sec + time.tv_usec / 1e6;
}

static inline double
wall_clock (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static inline struct moment
moment_now (void)
{
  struct rusage usage;
  struct moment moment;

  getrusage (RUSAGE_SELF, &usage);
  moment.cpu = seconds_of (usage.ru_utime) + seconds_of (usage.ru_stime);
  moment.wall = wall_clock ();
  return moment;
}

/* Seconds spent in compute(). */
static double computed;

/* Keeps the CPU busy for a number of microseconds, with no system call. */
static inline void
compute (long microseconds)
{
  double start, now;

  if (microseconds == 0)
    return;
  now = start = wall_clock ();
  while (now < start + microseconds / 1e6)
    now = wall_clock ();
  computed += now - start;
}

/* The shortest time in seconds from issuing to collecting; 0 if there is none. */
static double fastest_cycle;

static inline void
end_cycle (double start)
{
  double seconds = wall_clock () - start;

  if (fastest_cycle == 0 || seconds < fastest_cycle)
    fastest_cycle = seconds;
}

static inline void
report_since (struct moment start, long operations, const char *version)
{
  struct moment end = moment_now ();

  printf ("{\"operations\": %ld, \"seconds\": %.9f, \"cpu\": %.6f, "
          "\"computed\": %.9f, \"cycle\": %.9f, \"version\": \"%s\"}\n",
          operations, end.wall - start.wall, end.cpu - start.cpu, computed,
          fastest_cycle, version);
}

/* Allocates memory that is resident before the clock starts. */
static inline char *
touched_memory (size_t size)
{
  char *memory = aligned_alloc (4096, (size + 4095) / 4096 * 4096);

  if (memory == NULL) {
    perror ("aligned_alloc");
    exit (EXIT_FAILURE);
  }
  for (size_t i = 0; i < size; i++)
    memory[i] = (char) (i * 7 + 1);
  return memory;
}

#endif
