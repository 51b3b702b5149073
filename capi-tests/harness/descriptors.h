/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The descriptors of this process: their number and their limit. */
#ifndef HARNESS_DESCRIPTORS_H
#define HARNESS_DESCRIPTORS_H

#include "harness.h"

#include <dirent.h>
#include <sys/resource.h>

/* Returns the number of entries of a directory. */
static inline size_t
entries (const char *path)
{
  DIR *directory = opendir (path);
  size_t count = 0;

  CHECK (directory != NULL);
  while (readdir (directory))
    ++count;
  CHECK (closedir (directory) == 0);
  return count;
}

/* Returns the number of open descriptors plus a constant. */
static inline size_t
descriptors (void)
{
  return entries ("/proc/self/fd");
}

/* Returns the lowest free descriptor. */
static inline int
first_free (void)
{
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  CHECK (fd >= 0);
  CHECK (close (fd) == 0);
  return fd;
}

/* Forbids descriptors from this number on, and returns the previous limit. */
static inline rlim_t
set_limit (rlim_t limit)
{
  struct rlimit limits;
  rlim_t before;

  CHECK (getrlimit (RLIMIT_NOFILE, &limits) == 0);
  before = limits.rlim_cur;
  limits.rlim_cur = limit;
  CHECK (setrlimit (RLIMIT_NOFILE, &limits) == 0);
  return before;
}

#endif
