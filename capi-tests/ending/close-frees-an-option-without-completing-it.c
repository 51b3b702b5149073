/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Closing a handle with an option in flight frees its closures.  Unlike a
 * command, it does not call the completion callback.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

static int
ignore_context (void *user_data, const char *name)
{
  (void) user_data, (void) name;
  return 0;
}

int
main (void)
{
  struct script script = script_begin (GREETING_FIXED, true);
  struct record record = { .error = -1 };
  nbd_context_callback context = { .callback = ignore_context,
                                   .user_data = &record,
                                   .free = record_completion_free };

  CHECK (script_connect (&script) == 0);
  CHECK (nbd_aio_opt_list_meta_context (script.h, context, COMPLETION (&record))
         == 0);
  CHECK (nbd_aio_is_connecting (script.h) == 1);
  script_end (&script);
  CHECK (record.error == -1);
  CHECK (strcmp (record.letters, "cc") == 0);
  return 0;
}
