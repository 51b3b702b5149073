/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In option mode, a server that is gone when the program issues an option, or
 * disconnects during its reply, is an error of that call; the handle is dead,
 * and later calls fail.
 * Source: nbd_set_opt_mode(3), nbd_opt_go(3).
 */
#include "../harness/peer.h"

static int
ask (struct nbd_handle *h, uint32_t option)
{
  const nbd_list_callback list = { .callback = no_list };
  const nbd_context_callback context = { .callback = no_context };

  switch (option) {
  case OPT_LIST:
    return nbd_opt_list (h, list);
  case OPT_INFO:
    return nbd_opt_info (h);
  case OPT_GO:
    return nbd_opt_go (h);
  case OPT_STRUCTURED_REPLY:
    return nbd_opt_structured_reply (h);
  case OPT_LIST_META_CONTEXT:
    return nbd_opt_list_meta_context (h, context);
  case OPT_SET_META_CONTEXT:
    return nbd_opt_set_meta_context (h, context);
  default:
    return nbd_opt_extended_headers (h);
  }
}

static void
leave (uint32_t option, size_t bytes, bool deaf)
{
  struct nbd_handle *h = nbd_create ();
  struct bytes reply = { .count = 0 };
  int client, server;

  CHECK (nbd_set_opt_mode (h, true) == 0);
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  client = scripted_server (GREETING_FIXED, GREETING_SIZE, &server);
  CHECK (nbd_connect_socket (h, client) == 0);
  CHECK (nbd_aio_is_negotiating (h) == 1);

  /* An error with a message. */
  put_option_reply (&reply, option, REP_ERR (6), "no", 2);
  CHECK (write (server, reply.data, bytes) == (ssize_t) bytes);
  if (deaf)
    CHECK (close (server) == 0);
  else
    CHECK (shutdown (server, SHUT_WR) == 0);

  CHECK (ask (h, option) == -1);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK_ERROR (nbd_opt_go (h), EINVAL);
  CHECK_ERROR (nbd_opt_info (h), EINVAL);
  nbd_close (h);
  if (!deaf)
    close (server);
}

int
main (void)
{
  static const uint32_t options[] = {
    OPT_LIST,
    OPT_INFO,
    OPT_GO,
    OPT_STRUCTURED_REPLY,
    OPT_LIST_META_CONTEXT,
    OPT_SET_META_CONTEXT,
    OPT_EXTENDED_HEADERS,
  };

  for (size_t i = 0; i < ITEMS (options); ++i)
    for (size_t bytes = 0; bytes < 22; ++bytes) {
      leave (options[i], bytes, false);
      leave (options[i], bytes, true);
    }
  return 0;
}
