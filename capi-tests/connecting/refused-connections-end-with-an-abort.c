/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A client that gives up a negotiation because the export or TLS is refused
 * sends NBD_OPT_ABORT.  Without it, servers log an error.
 * Source: nbd_connect_socket(3), nbd_opt_abort(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

static void
refuse_the_export (void)
{
  struct script s = script_begin (GREETING_FIXED, false);

  put_option_reply (&s.says, OPT_GO, REP_ERR (6), "why not", 7);
  CHECK_ERROR (script_connect (&s), ENOENT);
  CHECK_MESSAGE ("the server has no export named '': why not");
  CHECK (nbd_aio_is_dead (s.h) == 1);
  CHECK (nbd_stats_bytes_sent (s.h) == 4 + 24 + 16);
  CHECK (nbd_stats_chunks_sent (s.h) == 2);
  CHECK_SAID (&s, OPT_GO, OPT_ABORT);
  script_end (&s);
}

static void
refuse_tls (void)
{
  struct script s = script_begin (GREETING_FIXED, false);

  CHECK (nbd_set_tls (s.h, LIBNBD_TLS_REQUIRE) == 0);
  put_option_reply (&s.says, OPT_STARTTLS, REP_ERR (2), "", 0);
  CHECK_ERROR (script_connect (&s), ENOTSUP);
  CHECK (nbd_aio_is_dead (s.h) == 1);
  CHECK (nbd_stats_bytes_sent (s.h) == 4 + 16 + 16);
  CHECK (nbd_stats_chunks_sent (s.h) == 2);
  CHECK_SAID (&s, OPT_STARTTLS, OPT_ABORT);
  script_end (&s);
}

/* In option mode the connection is closed, and the error has no errno. */
static void
refuse_tls_in_option_mode (bool wait)
{
  struct script s = script_begin (GREETING_FIXED, true);

  CHECK (nbd_set_tls (s.h, LIBNBD_TLS_REQUIRE) == 0);
  put_option_reply (&s.says, OPT_STARTTLS, REP_ERR (2), "", 0);
  if (wait) {
    CHECK_ERROR (script_connect (&s), 0);
    CHECK_EXACT_MESSAGE ("nbd_connect_socket: connection is closed");
  } else {
    int client = scripted_server (s.says.data, s.says.count, &s.server);

    CHECK (nbd_aio_connect_socket (s.h, client) == 0);
    while (nbd_aio_is_connecting (s.h))
      CHECK (nbd_poll (s.h, LONG_ENOUGH) == 1);
  }
  CHECK (nbd_aio_is_closed (s.h) == 1);
  CHECK_SAID (&s, OPT_STARTTLS, OPT_ABORT);
  CHECK_ERROR (nbd_opt_go (s.h), EINVAL);
  script_end (&s);
}

/* A server that does not read the ABORT does not matter. */
static void
refuse_and_leave (void)
{
  struct script s = script_begin (GREETING_FIXED, false);
  int client;

  put_option_reply (&s.says, OPT_GO, REP_ERR (6), "why not", 7);
  client = scripted_server (s.says.data, GREETING_SIZE, &s.server);
  CHECK (nbd_aio_connect_socket (s.h, client) == 0);
  while (nbd_stats_chunks_sent (s.h) == 0)
    CHECK (nbd_poll (s.h, LONG_ENOUGH) == 1);
  CHECK (write (s.server, s.says.data + GREETING_SIZE,
                s.says.count - GREETING_SIZE)
         == (ssize_t) s.says.count - 18);
  CHECK (close (s.server) == 0);
  while (nbd_aio_is_connecting (s.h))
    if (nbd_poll (s.h, LONG_ENOUGH) == -1)
      break;
  CHECK (nbd_aio_is_dead (s.h) == 1);
  nbd_close (s.h);
}

int
main (void)
{
  refuse_the_export ();
  refuse_tls ();
  refuse_tls_in_option_mode (true);
  refuse_tls_in_option_mode (false);
  refuse_and_leave ();
  return 0;
}
