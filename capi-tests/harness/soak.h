/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Resources of a process, to compare before and after long use; and
 * deterministic random numbers.
 */
#ifndef HARNESS_SOAK_H
#define HARNESS_SOAK_H

#include "commands.h"
#include "descriptors.h"

#include <malloc.h>

struct holdings {
  size_t descriptors, threads;
  size_t heap;     /* bytes allocated by malloc */
  size_t resident; /* resident bytes */
};

static inline struct holdings
take_stock (void)
{
  struct holdings holdings;
  FILE *statm;
  unsigned long pages;

  malloc_trim (0);
  holdings.heap = mallinfo2 ().uordblks + mallinfo2 ().hblkhd;
  CHECK ((statm = fopen ("/proc/self/statm", "re")) != NULL);
  CHECK (fscanf (statm, "%*u %lu", &pages) == 1);
  CHECK (fclose (statm) == 0);
  holdings.resident = pages * sysconf (_SC_PAGESIZE);
  holdings.descriptors = descriptors ();
  holdings.threads = entries ("/proc/self/task");
  return holdings;
}

static uint64_t chance_state = 1;

/* Returns a number below `limit` (splitmix64). */
static inline uint64_t
chance (uint64_t limit)
{
  uint64_t x = chance_state += UINT64_C (0x9e3779b97f4a7c15);

  x = (x ^ x >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * UINT64_C (0x94d049bb133111eb);
  return (x ^ x >> 31) % limit;
}

/* Lists the names of all faults in the server's help. */
static inline size_t
all_faults (char names[][40], size_t room)
{
  char command[1000], line[200];
  bool begun = false;
  size_t count = 0;
  FILE *help;

  snprintf (command, sizeof command, "'%s' --help", memserver ());
  CHECK ((help = popen (command, "re")) != NULL);
  while (fgets (line, sizeof line, help)) {
    if (strncmp (line, "Faults for", 10) == 0)
      begun = true;
    else if (begun && line[0] == ' ' && line[1] == ' ' && line[2] != ' ') {
      CHECK (count < room);
      CHECK (sscanf (line, "%39s", names[count]) == 1);
      ++count;
    }
  }
  CHECK (pclose (help) == 0);
  CHECK (count > 50);
  return count;
}

#endif /* HARNESS_SOAK_H */
