/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When the server refuses nbd_opt_info or nbd_opt_go, the state of previously
 * negotiated meta contexts is unknown again, unless the handle requests none
 * itself and the program named none.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/harness.h"

static int
ignore (void *user_data, const char *name)
{
  (void) user_data;
  (void) name;
  return 0;
}

static void
refused (const char *rule, bool by_itself, bool named, int expected)
{
  char *queries[] = { LIBNBD_CONTEXT_BASE_ALLOCATION, NULL };
  nbd_context_callback context = { .callback = ignore };
  struct nbd_handle *h = in_opt_mode (nbd_create ());

  CHECK (nbd_set_request_meta_context (h, by_itself) == 0);
  connect_handle (h, server_command ("--option-error", (char *) rule));
  if (named)
    CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_opt_set_meta_context_queries (h, queries, context) == 1);
  CHECK (nbd_can_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1);
  CHECK ((rule[0] == 'G' ? nbd_opt_go (h) : nbd_opt_info (h)) == -1);
  CHECK (nbd_can_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == expected);
  nbd_close (h);
}

int
main (void)
{
  static const char *const rules[] = { "GO=UNKNOWN", "INFO=POLICY" };
  size_t i;

  for (i = 0; i < 2; i++) {
    refused (rules[i], true, true, -1);
    refused (rules[i], true, false, 0);
    refused (rules[i], false, true, -1);
    refused (rules[i], false, false, 1);
  }
  return 0;
}
