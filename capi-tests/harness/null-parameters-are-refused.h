/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that passes NULL for each parameter in EVERY_NULL_PARAMETER.  That is
 * the name of a list: every-null-parameter.h or every-null-extension-parameter.h.
 */
#include "call-arguments.h"

static void
check_null (const char *function, const char *parameter, long result,
            int closures)
{
  char expected[128];

  snprintf (expected, sizeof expected, "%s: %s cannot be NULL: %s", function,
            parameter, strerror (EFAULT));
  if (result != -1 || nbd_get_errno () != EFAULT
      || strcmp (nbd_get_error (), expected) != 0 || freed != closures) {
    fprintf (stderr, "returned %ld, freed %d of %d closures\n", result, freed,
             closures);
    fail (__FILE__, __LINE__, expected);
  }
}

int
main (void)
{
  struct nbd_handle *in_state[] = {
    handle_in_state (CREATED),
    handle_in_state (NEGOTIATING),
    handle_in_state (CONNECTED),
  };
  const bool crashes = nbd_get_version_extra (in_state[0])[0]
                       == '\0'; /* the C library */
  struct nbd_handle *h;
  long result;
  size_t i;

#define NULL_PARAMETER(name, allowed, parameter, call) \
  h = in_state[CREATED & (allowed) ? 0 : NEGOTIATING & (allowed) ? 1 : 2]; \
  if (!crashes || strstr (#name, "pread") == NULL) { \
    freed = 0; \
    result = (long) (call); \
    check_null (#name, #parameter, result, closures_in (#call)); \
  }
#include EVERY_NULL_PARAMETER

  for (i = 0; i < sizeof in_state / sizeof in_state[0]; ++i)
    nbd_close (in_state[i]);
  return 0;
}
