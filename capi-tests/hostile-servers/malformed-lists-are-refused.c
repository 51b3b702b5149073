/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A malformed entry in the reply to LIST, LIST_META_CONTEXT or SET_META_CONTEXT
 * makes the call fail and the handle dead.  Entries that are only unusual are
 * passed on.
 *
 * Source: proto.md, "Option types".  The C library 1.24.4 crashes
 * where an export description is too short, so that row cannot be seen to pass
 * there.
 */
#include "../harness/ignored-lists.h"

static struct nbd_handle *
with_fault (const char *fault)
{
  struct nbd_handle *h = negotiating ("--export", "disk", "--context",
                                      "test:age=64k:1", "--fault",
                                      (char *) fault);

  CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
  CHECK (nbd_add_meta_context (h, "test:age") == 0);
  return h;
}

static void
check_dead (struct nbd_handle *h, int result)
{
  CHECK (result == -1);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
}

int
main (void)
{
  struct nbd_handle *h;

  h = with_fault ("list-name-too-long");
  check_dead (h, nbd_opt_list (h, LIST));
  h = with_fault ("list-long-name");
  check_dead (h, nbd_opt_list (h, LIST));
  h = with_fault ("list-short");
  if (nbd_get_version_extra (h)[0] != '\0')
    check_dead (h, nbd_opt_list (h, LIST));
  else
    nbd_close (h);

  h = with_fault ("context-short");
  check_dead (h, nbd_opt_list_meta_context (h, CONTEXT));
  h = with_fault ("context-long-name");
  check_dead (h, nbd_opt_list_meta_context (h, CONTEXT));
  h = with_fault ("context-short");
  check_dead (h, nbd_opt_set_meta_context (h, CONTEXT));
  h = with_fault ("context-long-name");
  check_dead (h, nbd_opt_set_meta_context (h, CONTEXT));

  h = with_fault ("context-unasked");
  CHECK (nbd_opt_set_meta_context (h, CONTEXT) >= 2);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 1);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  nbd_close (h);
  h = with_fault ("context-same-id");
  CHECK (nbd_opt_set_meta_context (h, CONTEXT) == 2);
  CHECK (nbd_can_meta_context (h, "test:age") == 1);
  nbd_close (h);
  return 0;
}
