/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An export list whose entries are too short, claim a longer name than there
 * is, or have an overlong name, is an error and not a crash. Stricter than
 * libnbd 1.24.4, which crashes at an entry that is too short.
 * Source: proto.md, NBD_REP_SERVER; nbd_opt_list(3).
 */
#include "../harness/commands.h"

static int
no_export (void *user_data, const char *name, const char *description)
{
  (void) user_data, (void) description;
  CHECK (strlen (name) <= 4096);
  return 0;
}

int
main (void)
{
  static char *const faults[] = { "list-short", "list-name-too-long",
                                  "list-long-name" };

  for (size_t i = 0; i < ITEMS (faults); ++i) {
    struct nbd_handle *h = negotiating ("--fault", faults[i]);

    CHECK (nbd_opt_list (h, (nbd_list_callback) { .callback = no_export })
           == -1);
    CHECK_MESSAGE ("nbd_opt_list: ");
    nbd_close (h);
  }
  return 0;
}
