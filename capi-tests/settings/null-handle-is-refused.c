/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A NULL handle is an error, EFAULT, never a crash, and closures given to the
 * same call are freed.
 *
 * Source: libnbd(3), "Non-NULL parameters".  The C library 1.24.4 crashes instead
 * (all of its functions do), so this program cannot be seen to pass there.
 */
#define LIBNBD_ATTRIBUTE_NONNULL(...)
#include "../harness/call-arguments.h"

static void
check_refused (const char *function, int closures)
{
  char expected[128];

  snprintf (expected, sizeof expected, "%s: h cannot be NULL: %s", function,
            strerror (EFAULT));
  if (nbd_get_errno () != EFAULT || strcmp (nbd_get_error (), expected) != 0
      || freed != closures)
    fail (__FILE__, __LINE__, expected);
}

int
main (void)
{
  struct nbd_handle *h = NULL;

#define FUNCTION(name, allowed, call) \
  freed = 0; \
  (void) (call); \
  check_refused (#name, closures_in (#call));
#include "../harness/every-function.h"
  return 0;
}
