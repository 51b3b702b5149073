/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Simulated lack of memory: malloc and its siblings are defined here, and fail
 * as the program requests.  Only allocations of at least LARGE bytes are
 * counted, those of the library and those of libc on its behalf.
 *
 * Sanitizers and valgrind have their own malloc: nothing fails there.
 */
#ifndef HARNESS_MEMORY_H
#define HARNESS_MEMORY_H

#include "commands.h"

#include <limits.h>

#define LARGE 4096

/* Number of large allocations, and the range of those that fail: one, or all
 * from one on. */
static long allocations, first_refused, last_refused = -1, refused;

static int failed_runs;

static inline bool
can_run_out (void)
{
#ifdef __SANITIZE_ADDRESS__
  return false;
#else
  return getenv ("TEST_UNDER_VALGRIND") == NULL;
#endif
}

#ifndef __SANITIZE_ADDRESS__

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t count, size_t size);
extern void *__libc_realloc (void *old, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);

static bool
is_refused (size_t size)
{
  long number;

  if (size < LARGE)
    return false;
  number = __atomic_add_fetch (&allocations, 1, __ATOMIC_RELAXED);
  if (number < first_refused || number > last_refused)
    return false;
  __atomic_add_fetch (&refused, 1, __ATOMIC_RELAXED);
  errno = ENOMEM;
  return true;
}

void *
malloc (size_t size)
{
  return is_refused (size) ? NULL : __libc_malloc (size);
}

void *
calloc (size_t count, size_t size)
{
  return is_refused (count * size) ? NULL : __libc_calloc (count, size);
}

void *
realloc (void *old, size_t size)
{
  return is_refused (size) ? NULL : __libc_realloc (old, size);
}

void *
aligned_alloc (size_t alignment, size_t size)
{
  return is_refused (size) ? NULL : __libc_memalign (alignment, size);
}

int
posix_memalign (void **memory, size_t alignment, size_t size)
{
  *memory = is_refused (size) ? NULL : __libc_memalign (alignment, size);
  return *memory ? 0 : ENOMEM;
}

#endif

/* Runs a sequence of calls in a child process. Large allocations fail from that
 * number on: one of them, or all.  Returns false if there were fewer.
 */
static inline bool
run_without_memory (const char *name, void (*walk) (void), long number,
                    bool for_good)
{
  int status;
  pid_t pid;

  fflush (stdout);
  CHECK ((pid = fork ()) >= 0);
  if (pid == 0) {
    alarm (60);
    allocations = 0;
    first_refused = number;
    last_refused = for_good ? LONG_MAX : number;
    walk ();
    last_refused = -1;
    exit (refused > 0 ? 0 : 77);
  }
  CHECK (waitpid (pid, &status, 0) == pid);
  if (WIFEXITED (status) && WEXITSTATUS (status) == 77)
    return false;
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return true;
  fprintf (stderr, "%s, allocation %ld of %d bytes or more%s fails: ", name,
           number, LARGE, for_good ? " and all after it" : "");
  if (WIFSIGNALED (status))
    fprintf (stderr, "%s\n", strsignal (WTERMSIG (status)));
  else
    fprintf (stderr, "exit status %d\n", WEXITSTATUS (status));
  ++failed_runs;
  return true;
}

/* Repeats the sequence: the first large allocation fails, then the second, and
 * so on, until none is left.
 */
static inline void
run_without_each (const char *name, void (*walk) (void))
{
  long number;

  /* First without a failure. */
  if (run_without_memory (name, walk, LONG_MAX, false))
    return;
  for (int for_good = 0; for_good < 2; ++for_good) {
    for (number = 1; run_without_memory (name, walk, number, for_good);
         ++number)
      CHECK (number < 1000);
    printf ("%s: %ld large allocations\n", name, number - 1);
    CHECK (number > 1 || !can_run_out ());
  }
}

/* Checks that the call succeeds, or fails for lack of memory. */
#define MAY_LACK_MEMORY(call) \
  may_lack_memory (__LINE__, #call, (call) != -1, ENOMEM)

/* Checks that the call fails with this errno, or for lack of memory. */
#define CHECK_ERROR_OR_MEMORY(call, expected) \
  CHECK (!may_lack_memory (__LINE__, #call, (call) != -1, (expected)))

/* Like MAY_LACK_MEMORY for a call that returns a string, which is freed. */
#define MAY_LACK_MEMORY_FOR(call) \
  do { \
    char *string_ = (call); \
    may_lack_memory (__LINE__, #call, string_ != NULL, ENOMEM); \
    free (string_); \
  } while (0)

/* Returns true on success. */
static inline bool
may_lack_memory (int line, const char *call, bool success, int expected)
{
  int error;

  if (success)
    return true;
  error = nbd_get_errno ();
  if (nbd_get_error () == NULL
      || (error != expected && !(error == ENOMEM && refused > 0)))
    fail (__FILE__, line, call);
  return false;
}

#endif /* HARNESS_MEMORY_H */
