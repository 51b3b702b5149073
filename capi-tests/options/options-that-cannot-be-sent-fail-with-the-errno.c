/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An option that cannot be sent is still issued, and its completion gets the
 * errno of the failure.  A synchronous call fails with the same errno, and its
 * message names the request.
 * Source: nbd_aio_opt_go(3), nbd_opt_list(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

static int
list (struct nbd_handle *h)
{
  return nbd_opt_list (h, (nbd_list_callback) { .callback = no_list });
}

static int
list_contexts (struct nbd_handle *h)
{
  nbd_context_callback context = { .callback = no_context };

  return nbd_opt_list_meta_context (h, context);
}

static int
set_contexts (struct nbd_handle *h)
{
  nbd_context_callback context = { .callback = no_context };

  return nbd_opt_set_meta_context (h, context);
}

/* Returns a handle in option mode whose server is gone. */
static struct script
left (void)
{
  struct script s = script_begin (GREETING_FIXED, true);

  CHECK (script_connect (&s) == 0);
  CHECK (close (s.server) == 0);
  return s;
}

int
main (void)
{
  static const struct {
    int (*call) (struct nbd_handle *);
    const char *message;
  } calls[] = {
    { nbd_opt_go, "nbd_opt_go: send: " },
    { nbd_opt_info, "nbd_opt_info: send: " },
    { list, "nbd_opt_list: server replied with error to list request: " },
    { list_contexts, "nbd_opt_list_meta_context: "
                     "server replied with error to meta context request: " },
    { set_contexts, "nbd_opt_set_meta_context: "
                    "server replied with error to meta context request: " },
    { nbd_opt_starttls, "nbd_opt_starttls: "
                        "failed to get response to opt_starttls request: " },
    { nbd_opt_structured_reply,
      "nbd_opt_structured_reply: "
      "failed to get response to opt_structured_reply request: " },
    { nbd_opt_extended_headers,
      "nbd_opt_extended_headers: "
      "failed to get response to opt_extended_headers request: " },
  };
  struct record record = { .error = -1 };
  struct script s = left ();

  CHECK (nbd_aio_opt_go (s.h, COMPLETION (&record)) == 0);
  CHECK (nbd_aio_is_dead (s.h) == 1);
  CHECK (record.error == EPIPE);
  nbd_close (s.h);
  CHECK (strcmp (record.letters, "Cc") == 0);

  for (size_t i = 0; i < ITEMS (calls); ++i) {
    s = left ();
    CHECK_ERROR (calls[i].call (s.h), EPIPE);
    CHECK_MESSAGE (calls[i].message);
    CHECK (nbd_aio_is_dead (s.h) == 1);
    nbd_close (s.h);
  }
  return 0;
}
