/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The refusal of an option that the server can only accept or refuse is an
 * answer: the synchronous call returns false.  The completion callback gets
 * EINVAL if the server calls the request invalid, and ENOTSUP otherwise.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/harness.h"

static int errnum;

static int
done (void *user_data, int *error)
{
  (void) user_data;
  errnum = *error;
  return 1;
}

static void
refused (const char *option, const char *reply,
         int (*wait) (struct nbd_handle *),
         int (*begin) (struct nbd_handle *, nbd_completion_callback),
         int expected)
{
  char rule[64];
  struct nbd_handle *h = in_opt_mode (nbd_create ());

  snprintf (rule, sizeof rule, "%s=%s", option, reply);
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  connect_handle (h, server_command ("--option-error", rule));
  CHECK (wait (h) == 0);
  errnum = -1;
  CHECK (begin (h, (nbd_completion_callback) { .callback = done }) == 0);
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, -1) >= 0);
  CHECK (errnum == expected);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  nbd_close (h);
}

int
main (void)
{
  static const struct {
    const char *reply;
    int expected;
  } replies[] = {
    { "INVALID", EINVAL },
    { "UNSUP", ENOTSUP },
    { "POLICY", ENOTSUP },
    { "SHUTDOWN", ENOTSUP },
  };
  size_t i;

  for (i = 0; i < sizeof replies / sizeof replies[0]; i++) {
    refused ("STRUCTURED_REPLY", replies[i].reply, nbd_opt_structured_reply,
             nbd_aio_opt_structured_reply, replies[i].expected);
    refused ("EXTENDED_HEADERS", replies[i].reply, nbd_opt_extended_headers,
             nbd_aio_opt_extended_headers, replies[i].expected);
    refused ("STARTTLS", replies[i].reply, nbd_opt_starttls,
             nbd_aio_opt_starttls, replies[i].expected);
  }
  return 0;
}
