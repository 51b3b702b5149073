/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Contexts selected manually are visible at once, replace the previous ones,
 * and last until the export name changes; opt_go keeps the selection unless it
 * requests contexts itself.
 *
 * Source: nbd_opt_set_meta_context(3), nbd_opt_set_meta_context_queries(3),
 * nbd_can_meta_context(3), nbd_set_request_meta_context(3).
 */
#include "../harness/harness.h"

static int
count (void *user_data, const char *name)
{
  CHECK (name[0] != '\0');
  ++*(int *) user_data;
  return 0;
}

#define COUNT \
  ((nbd_context_callback) { .callback = count, .user_data = &calls })

int
main (void)
{
  struct nbd_handle *h = negotiating ("--export", "disk", "--context",
                                      "test:age=64k:1,64k:2");
  char *none[] = { NULL };
  char *age[] = { "test:age", "test:none", NULL };
  int calls = 0;

  /* Without queries there are no contexts, and no error. */
  CHECK (nbd_can_meta_context (h, "base:allocation") == 0);

  CHECK (nbd_set_export_name (h, "disk") == 0);
  CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
  CHECK_ERROR (nbd_can_meta_context (h, "base:allocation"), EINVAL);
  CHECK (nbd_opt_set_meta_context (h, COUNT) == 1);
  CHECK (calls == 1);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 1);
  CHECK (nbd_can_meta_context (h, "test:age") == 0);

  CHECK (nbd_opt_set_meta_context_queries (h, age, COUNT) == 1);
  CHECK (calls == 2);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 0);
  CHECK (nbd_can_meta_context (h, "test:age") == 1);

  /* The selection belongs to the export. */
  CHECK (nbd_set_export_name (h, "disk") == 0);
  CHECK (nbd_can_meta_context (h, "test:age") == 1);
  CHECK (nbd_set_export_name (h, "") == 0);
  CHECK_ERROR (nbd_can_meta_context (h, "test:age"), EINVAL);

  CHECK (nbd_opt_set_meta_context_queries (h, none, COUNT) == 0);
  CHECK (nbd_can_meta_context (h, "test:age") == 0);

  CHECK (nbd_opt_set_meta_context_queries (h, age, COUNT) == 1);
  CHECK (nbd_set_request_meta_context (h, false) == 0);
  CHECK (nbd_opt_info (h) == 0);
  CHECK (nbd_can_meta_context (h, "test:age") == 1);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_can_meta_context (h, "test:age") == 1);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
