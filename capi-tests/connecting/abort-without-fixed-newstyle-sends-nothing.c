/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server without fixed newstyle does not support NBD_OPT_ABORT: ending the
 * negotiation sends nothing, succeeds, and leaves a dead handle.
 * Source: nbd_opt_abort(3), nbd_shutdown(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

static int
abort_sync (struct nbd_handle *h)
{
  return nbd_opt_abort (h);
}

static int
abort_async (struct nbd_handle *h)
{
  return nbd_aio_opt_abort (h);
}

static int
shut_down (struct nbd_handle *h)
{
  return nbd_shutdown (h, 0);
}

int
main (void)
{
  int (*const ends[]) (struct nbd_handle *) = {
    abort_sync,
    abort_async,
    shut_down,
  };

  for (size_t i = 0; i < ITEMS (ends); ++i) {
    struct script s = script_begin (GREETING_NOT_FIXED, true);
    char flags[5];

    CHECK (script_connect (&s) == 0);
    CHECK (ends[i](s.h) == 0);
    CHECK (nbd_aio_is_dead (s.h) == 1);
    CHECK (recv (s.server, flags, sizeof flags, MSG_WAITALL) == 4);
    CHECK (nbd_stats_bytes_sent (s.h) == 4);
    script_end (&s);
  }
  return 0;
}
