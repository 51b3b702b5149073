/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NULL for a mandatory pointer parameter is the error EFAULT, the message names
 * the parameter, and closures given to the same call are freed.
 *
 * Source: libnbd(3), "Non-NULL parameters".  The C library 1.24.4 crashes where
 * the buffer of a read is NULL, so those rows cannot be seen to pass there.
 */
#define LIBNBD_ATTRIBUTE_NONNULL(...)
#include "../harness/call-arguments.h"

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
#include "../harness/every-null-parameter.h"

  for (i = 0; i < sizeof in_state / sizeof in_state[0]; ++i)
    nbd_close (in_state[i]);
  return 0;
}
