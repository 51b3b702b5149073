/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server started by the library does not inherit that the program ignores
 * SIGPIPE, and the program's own setting is unchanged.
 *
 * Source: libnbd(3), "Signals and file descriptors"; that the server gets the default is what the C
 * library does.
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct sigaction action;
  char script[512];

  CHECK (signal (SIGPIPE, SIG_IGN) != SIG_ERR);
  /* SIGPIPE is signal 13: bit 12 of the mask, the lowest of the fourth digit
   * from the right.
   */
  snprintf (script, sizeof script,
            "grep -q '^SigIgn:.*[02468ace]...$' /proc/self/status && "
            "exec '%s' --stdin --size 1M",
            memserver ());
  CHECK (nbd_connect_command (h, (char *[]) { "sh", "-c", script, NULL }) == 0);
  CHECK (sigaction (SIGPIPE, NULL, &action) == 0);
  CHECK (action.sa_handler == SIG_IGN);
  nbd_close (h);
  return 0;
}
