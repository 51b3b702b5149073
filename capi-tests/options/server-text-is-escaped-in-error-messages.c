/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In an error message, bytes of the server's text that are not printable ASCII
 * are shown as numbers, so that a server cannot control a terminal.
 * Source: nbd_get_error(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

int
main (void)
{
  struct script s = script_begin (GREETING_FIXED, false);

  put_option_reply (&s.says, OPT_GO, REP_ERR (2), "a\0\x1b[1m\xc3\xa9\n\\'%s",
                    13);
  CHECK_ERROR (script_connect (&s), 0);
  CHECK_EXACT_MESSAGE ("nbd_connect_socket: server policy prevents the "
                       "operation: a\\x00\\x1b[1m\\xc3\\xa9\\x0a\\'%s");
  script_end (&s);
  return 0;
}
