/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After a failed TCP connection, nbd_get_uri still names its address, even if
 * the program then connects over its own socket.
 * Source: nbd_get_uri(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

int
main (void)
{
  struct script s = script_begin (GREETING_FIXED, false);

  put_export (&s.says, OPT_GO, MIB, 1);
  put_ack (&s.says, OPT_GO);
  CHECK_ERROR (nbd_connect_tcp (s.h, "127.0.0.1", "1"), ECONNREFUSED);
  CHECK (script_connect (&s) == 0);
  CHECK_STRING (nbd_get_uri (s.h), "nbd://127.0.0.1:1/");
  script_end (&s);
  return 0;
}
