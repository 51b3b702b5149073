/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Meta contexts are listed and set even with a server that has refused
 * structured replies: the server decides.  None of them is in effect after
 * NBD_OPT_GO.
 * Source: nbd_opt_list_meta_context(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

static int
count_context (void *user_data, const char *name)
{
  CHECK (strcmp (name, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  ++*(int *) user_data;
  return 0;
}

static void
put_base_allocation (struct script *s, uint32_t option)
{
  put_option_reply (&s->says, option, REP_META_CONTEXT,
                    "\0\0\0\1base:allocation", 19);
  put_ack (&s->says, option);
}

int
main (void)
{
  struct script s = script_begin (GREETING_FIXED, true);
  int count = 0;
  nbd_context_callback context = {
    .callback = count_context,
    .user_data = &count,
  };

  CHECK (nbd_set_request_structured_replies (s.h, true) == 0);
  CHECK (nbd_set_request_extended_headers (s.h, false) == 0);
  CHECK (nbd_add_meta_context (s.h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  put_option_reply (&s.says, OPT_STRUCTURED_REPLY, REP_ERR (1), "", 0);
  put_base_allocation (&s, OPT_LIST_META_CONTEXT);
  put_base_allocation (&s, OPT_SET_META_CONTEXT);
  put_export (&s.says, OPT_GO, MIB, 1);
  put_ack (&s.says, OPT_GO);
  CHECK (script_connect (&s) == 0);
  CHECK (nbd_get_structured_replies_negotiated (s.h) == 0);
  CHECK (nbd_opt_list_meta_context (s.h, context) == 1);
  CHECK (nbd_opt_set_meta_context (s.h, context) == 1);
  CHECK (count == 2);
  CHECK (nbd_can_meta_context (s.h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1);
  CHECK (nbd_opt_go (s.h) == 0);
  CHECK (nbd_can_meta_context (s.h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  script_end (&s);
  return 0;
}
