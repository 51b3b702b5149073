/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that checks in which handle states the calls in EVERY_FUNCTION are
 * allowed.  That is the name of a list: every-function.h or every-extension.h.
 */
#include "call-arguments.h"

static const struct {
  int state;
  const char *words;
} states[] = {
  { CREATED, "newly created" },   { CONNECTING, "connecting" },
  { NEGOTIATING, "negotiating" }, { CONNECTED, "connected with the server" },
  { CLOSED, "shut down" },        { DEAD, "dead" },
};

enum { STATES = sizeof states / sizeof states[0] };

/* "the handle must be negotiating, or shut down: " */
static const char *
requirement (int allowed)
{
  static char text[256];
  const char *separator = "the handle must be ";
  size_t i, used = 0;

  for (i = 0; i < STATES; ++i)
    if (allowed & states[i].state) {
      used += snprintf (text + used, sizeof text - used, "%s%s", separator,
                        states[i].words);
      separator = ", or ";
    }
  snprintf (text + used, sizeof text - used, ": ");
  return text;
}

static void
check_refused (const char *function, int state, int allowed, long result,
               const char *before, const char *after, int closures)
{
  int expected = state == CREATED ? ENOTCONN : EINVAL;
  char start[128];

  snprintf (start, sizeof start, "%s: invalid state: ", function);
  if (result != -1 || nbd_get_errno () != expected
      || strncmp (nbd_get_error (), start, strlen (start)) != 0
      || strstr (nbd_get_error (), requirement (allowed)) == NULL
      || strcmp (before, after) != 0 || freed != closures) {
    fprintf (stderr,
             "%s in state %d returned %ld, freed %d of %d closures, "
             "and went from %s to %s\n",
             function, state, result, freed, closures, before, after);
    fail (__FILE__, __LINE__, requirement (allowed));
  }
}

static void
check_allowed (const char *function, int state, long result)
{
  if (result == -1 && nbd_get_error () != NULL
      && strstr (nbd_get_error (), "invalid state") != NULL) {
    fprintf (stderr, "%s refused in state %d\n", function, state);
    fail (__FILE__, __LINE__, "allowed");
  }
}

static void
check_all_functions (int state)
{
  struct nbd_handle *unchanged = handle_in_state (state);
  struct nbd_handle *h;
  const char *before = nbd_connection_state (unchanged);
  long result;

#define FUNCTION(name, allowed, call) \
  freed = 0; \
  if ((state) & (allowed)) { \
    h = handle_in_state (state); \
    result = (long) (call); \
    check_allowed (#name, state, result); \
    nbd_close (h); \
  } else { \
    h = unchanged; \
    result = (long) (call); \
    check_refused (#name, state, allowed, result, before, \
                   nbd_connection_state (h), closures_in (#call)); \
  }
#include EVERY_FUNCTION
#undef FUNCTION

  nbd_close (unchanged);
}

int
main (void)
{
  size_t i;

  for (i = 0; i < STATES; ++i)
    check_all_functions (states[i].state);
  close (silent_server);
  return 0;
}
