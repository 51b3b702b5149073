/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Listing calls the callback once for each export, with its description or "",
 * returns the number of exports, and can be repeated.
 *
 * Source: nbd_opt_list(3).
 */
#include "../harness/harness.h"

struct list {
  int count;
  char text[256];
};

static int
add (void *user_data, const char *name, const char *description)
{
  struct list *list = user_data;
  size_t used = strlen (list->text);

  ++list->count;
  snprintf (list->text + used, sizeof list->text - used, "%s=%s;", name,
            description);
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = negotiating ("--export", "root", "--description",
                                      "system disk", "--export", "home");
  struct list list = { 0, "" };
  int freed = 0;
  int i;

  for (i = 0; i < 2; ++i) {
    memset (&list, 0, sizeof list);
    CHECK (nbd_opt_list (h, (nbd_list_callback) { .callback = add,
                                                  .user_data = &list })
           == 2);
    CHECK (list.count == 2);
    CHECK (strcmp (list.text, "root=system disk;home=;") == 0);
  }
  CHECK (nbd_aio_is_negotiating (h) == 1);

  /* The callback may be missing; its data is still freed. */
  CHECK (nbd_opt_list (h, (nbd_list_callback) { .user_data = &freed,
                                                .free = count_free })
         == 2);
  CHECK (freed == 1);
  CHECK (nbd_opt_abort (h) == 0);
  nbd_close (h);

  /* A refusal to list does not end the connection. */
  h = negotiating ("--no-list");
  memset (&list, 0, sizeof list);
  CHECK_ERROR (nbd_opt_list (h, (nbd_list_callback) { .callback = add,
                                                      .user_data = &list }),
               ENOTSUP);
  CHECK (list.count == 0);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
