/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The contexts of an export can be listed without selecting them: all for an
 * empty list of queries, otherwise those that match.  The queries are those
 * added to the handle, or those of the call.
 *
 * Source: nbd_opt_list_meta_context(3), nbd_opt_list_meta_context_queries(3).
 */
#include "../harness/harness.h"

static char seen[256];

static int
add (void *user_data, const char *name)
{
  size_t used = strlen (seen);

  CHECK (user_data == seen);
  snprintf (seen + used, sizeof seen - used, "%s;", name);
  return 0;
}

#define ADD ((nbd_context_callback) { .callback = add, .user_data = seen })

static void
check_list (const char *expected)
{
  check_text (__FILE__, __LINE__, seen, expected, true);
  seen[0] = '\0';
}

int
main (void)
{
  struct nbd_handle *h = negotiating ("--export", "disk", "--context",
                                      "test:age=64k:1,64k:2");
  char *none[] = { NULL };
  char *two[] = { "test:", "base:allocation", NULL };
  char *unknown[] = { "other:", "base:nothing", NULL };

  CHECK (nbd_opt_list_meta_context (h, ADD) == 2);
  check_list ("base:allocation;test:age;");
  CHECK (nbd_opt_list_meta_context_queries (h, none, ADD) == 2);
  check_list ("base:allocation;test:age;");
  CHECK (nbd_opt_list_meta_context_queries (h, unknown, ADD) == 0);
  check_list ("");
  CHECK (nbd_opt_list_meta_context_queries (h, two, ADD) == 2);
  CHECK (strstr (seen, "base:allocation;") != NULL);
  CHECK (strstr (seen, "test:age;") != NULL);
  seen[0] = '\0';

  CHECK (nbd_add_meta_context (h, "test:age") == 0);
  CHECK (nbd_opt_list_meta_context (h, ADD) == 1);
  check_list ("test:age;");

  /* Nothing was selected. */
  CHECK_ERROR (nbd_can_meta_context (h, "test:age"), EINVAL);
  CHECK (nbd_opt_abort (h) == 0);
  nbd_close (h);
  return 0;
}
