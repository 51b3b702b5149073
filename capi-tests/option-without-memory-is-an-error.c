/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An option that cannot be put together is an error of the call that asks for
 * it, whose completion is not called, and leaves the negotiation as it was.
 * Source: nbd_opt_go(3), nbd_aio_opt_go(3).
 */
#include "harness-commands.h"

#include <sys/resource.h>

#define CONTEXTS 8192
#define LENGTH 4096

/* The limit would be one for a sanitizer and for valgrind, too, which end then. */
static bool
memory_can_be_limited (void)
{
#ifdef __SANITIZE_ADDRESS__
  return false;
#else
  return getenv ("TEST_UNDER_VALGRIND") == NULL;
#endif
}

/* Leave this process room for a few megabytes more, or for anything. */
static void
limit_memory (bool limited)
{
  struct rlimit limit;
  unsigned long pages;
  FILE *file = fopen ("/proc/self/statm", "r");

  CHECK (file != NULL && fscanf (file, "%lu", &pages) == 1);
  fclose (file);
  CHECK (getrlimit (RLIMIT_AS, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  if (limited)
    limit.rlim_cur = pages * sysconf (_SC_PAGESIZE) + 4 * MIB;
  CHECK (setrlimit (RLIMIT_AS, &limit) == 0);
}

int
main (void)
{
  struct nbd_handle *h = negotiating ("--size", "1M");
  struct record record = { .result = 0 };
  char name[LENGTH + 1];

  memset (name, 'x', LENGTH);
  name[LENGTH] = '\0';
  for (int i = 0; i < CONTEXTS; ++i)
    CHECK (nbd_add_meta_context (h, name) == 0);

  if (memory_can_be_limited ()) {
    limit_memory (true);
    CHECK_ERROR (nbd_opt_go (h), ENOMEM);
    CHECK_ERROR (nbd_opt_info (h), ENOMEM);
    CHECK_ERROR (nbd_aio_opt_go (h, COMPLETION (&record)), ENOMEM);
    CHECK_RECORD (record, "c");
    CHECK (nbd_aio_is_negotiating (h) == 1);
    limit_memory (false);
  }
  CHECK (nbd_clear_meta_contexts (h) == 0);
  CHECK (nbd_opt_go (h) == 0);
  nbd_close (h);
  return 0;
}
