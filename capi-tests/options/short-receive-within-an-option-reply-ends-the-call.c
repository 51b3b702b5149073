/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* During negotiation, a call that handles received data detects end of file
 * after a complete header or complete data of an option reply, not after a part
 * of either.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

/* Sends the first COUNT bytes of a reply, and closes.  Returns true if
 * nbd_aio_notify_read detects the end. */
static bool
notices (size_t count)
{
  struct script script = script_begin (GREETING_FIXED, true);
  struct bytes reply = { .count = 0 };
  bool dead;

  CHECK (script_connect (&script) == 0);
  CHECK (nbd_aio_opt_info (script.h, NBD_NULL_COMPLETION) == 0);
  put_option_header (&reply, OPT_INFO, REP_INFO, 12);
  put16 (&reply, 0);
  put64 (&reply, MIB);
  put16 (&reply, EVERY_FLAG);
  CHECK (send (script.server, reply.data, count, MSG_NOSIGNAL)
         == (ssize_t) count);
  CHECK (shutdown (script.server, SHUT_WR) == 0);
  CHECK (nbd_aio_get_direction (script.h) == LIBNBD_AIO_DIRECTION_READ);
  CHECK (nbd_aio_notify_read (script.h)
         == (nbd_aio_is_dead (script.h) ? -1 : 0));
  dead = nbd_aio_is_dead (script.h) == 1;
  if (!dead)
    CHECK (nbd_aio_notify_read (script.h) == -1);
  CHECK (nbd_aio_is_dead (script.h) == 1);
  script_end (&script);
  return dead;
}

int
main (void)
{
  for (size_t count = 1; count <= 32; ++count)
    CHECK (notices (count) == (count == 20 || count == 32));
  return 0;
}
