/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that passes a NULL handle to each function in EVERY_FUNCTION.  That
 * is the name of a list: every-function.h or every-extension.h.
 */
#include "call-arguments.h"

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
#include EVERY_FUNCTION
  return 0;
}
