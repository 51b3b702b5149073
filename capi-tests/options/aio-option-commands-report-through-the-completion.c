/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An asynchronous option command returns at once, and the handle is connecting
 * until the reply arrives.  Then the completion callback is called once, with 0
 * or the errno, and the closures are freed: callback, completion, free of the
 * callback, free of the completion.
 *
 * Source: nbd_aio_opt_go(3) and the pages of the other nbd_aio_opt functions;
 * libnbd(3), "Callback lifetimes".
 */
#include "../harness/harness.h"

static struct nbd_handle *h;
static char order[64];
static int error;

static void
note (char what)
{
  size_t used = strlen (order);

  CHECK (used < sizeof order - 1);
  order[used] = what;
}

static int
on_completion (void *user_data, int *err)
{
  (void) user_data;
  note ('C');
  error = *err;
  return 0;
}

static int
on_list (void *user_data, const char *name, const char *description)
{
  (void) user_data;
  (void) name;
  (void) description;
  note ('i');
  return 0;
}

static int
on_context (void *user_data, const char *name)
{
  (void) user_data;
  (void) name;
  note ('i');
  return 0;
}

static void
on_free (void *user_data)
{
  note (*(char *) user_data);
}

#define COMPLETION ((nbd_completion_callback) { on_completion, "F", on_free })
#define LIST ((nbd_list_callback) { on_list, "f", on_free })
#define CONTEXT ((nbd_context_callback) { on_context, "f", on_free })

/* Checks that the call succeeds, and completes with this errno and these
 * callbacks. */
static void
check (int result, int expected_error, const char *expected_order)
{
  CHECK (result == 0);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, -1) >= 0);
  check_text (__FILE__, __LINE__, order, expected_order, true);
  CHECK (error == expected_error);
  memset (order, 0, sizeof order);
  error = -1;
}

int
main (void)
{
  char *queries[] = { "base:", NULL };
  char *contexts[] = { "base:allocation", NULL };

  h = in_opt_mode (nbd_create ());
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  connect_handle (h, server_command ("--export", "disk", "--export", "other"));

  check (nbd_aio_opt_structured_reply (h, COMPLETION), 0, "CF");
  CHECK (nbd_get_structured_replies_negotiated (h) == 1);
  check (nbd_aio_opt_extended_headers (h, COMPLETION), 0, "CF");
  CHECK (nbd_get_extended_headers_negotiated (h) == 1);
  check (nbd_aio_opt_list (h, LIST, COMPLETION), 0, "iiCfF");

  CHECK (nbd_set_export_name (h, "none") == 0);
  check (nbd_aio_opt_info (h, COMPLETION), ENOENT, "CF");
  check (nbd_aio_opt_go (h, COMPLETION), ENOENT, "CF");
  CHECK (nbd_aio_is_negotiating (h) == 1);

  CHECK (nbd_set_export_name (h, "disk") == 0);
  check (nbd_aio_opt_info (h, COMPLETION), 0, "CF");
  CHECK (nbd_get_size (h) > 0);
  check (nbd_aio_opt_list_meta_context (h, CONTEXT, COMPLETION), 0, "iCfF");
  check (nbd_aio_opt_list_meta_context_queries (h, queries, CONTEXT,
                                                COMPLETION),
         0, "iCfF");
  check (nbd_aio_opt_set_meta_context_queries (h, contexts, CONTEXT,
                                               COMPLETION),
         0, "iCfF");
  CHECK (nbd_can_meta_context (h, "base:allocation") == 1);
  check (nbd_aio_opt_set_meta_context (h, CONTEXT, COMPLETION), 0, "CfF");
  CHECK (nbd_can_meta_context (h, "base:allocation") == 0);

  check (nbd_aio_opt_go (h, COMPLETION), 0, "CF");
  CHECK (nbd_aio_is_ready (h) == 1);
  nbd_close (h);
  return 0;
}
