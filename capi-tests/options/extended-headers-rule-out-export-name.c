/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After an agreement to extended headers, a server without GO is not sent
 * EXPORT_NAME: the export is refused.
 * Source: proto.md, "NBD_OPT_EXTENDED_HEADERS".
 */
#include "../harness/peer-handshake.h"

static struct script
agreed (bool opt_mode)
{
  struct script script = script_begin (GREETING_FIXED, opt_mode);

  CHECK (nbd_set_request_structured_replies (script.h, true) == 0);
  put_ack (&script.says, OPT_EXTENDED_HEADERS);
  put_option_reply (&script.says, OPT_GO, REP_ERR (1), "", 0);
  return script;
}

int
main (void)
{
  struct script script = agreed (false);

  CHECK_ERROR (script_connect (&script), ENOTSUP);
  CHECK (nbd_aio_is_dead (script.h) == 1);
  CHECK_SAID (&script, OPT_EXTENDED_HEADERS, OPT_GO, OPT_ABORT);
  script_end (&script);

  script = agreed (true);
  CHECK (script_connect (&script) == 0);
  CHECK_ERROR (nbd_opt_go (script.h), ENOTSUP);
  CHECK (nbd_aio_is_negotiating (script.h) == 1);
  CHECK (nbd_opt_abort (script.h) == 0);
  CHECK_SAID (&script, OPT_EXTENDED_HEADERS, OPT_GO, OPT_ABORT);
  script_end (&script);
  return 0;
}
