/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_connection_state gives a text that starts with the name of the state,
 * which error messages use too.  What follows the colon is for people.
 * Source: nbd_connection_state(3); the names are those of libnbd 1.24.4.
 */
#include "harness-commands.h"

static void
check_state (struct nbd_handle *h, const char *name)
{
  const char *state = nbd_connection_state (h);
  size_t length = strlen (name);

  CHECK (strncmp (state, name, length) == 0);
  CHECK (strncmp (state + length, ": ", 2) == 0);
  CHECK (strlen (state) > length + 2);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  check_state (h, "START");
  connect_handle (h, server_command ("--size", "1M"));
  check_state (h, "READY");
  CHECK (nbd_shutdown (h, 0) == 0);
  check_state (h, "CLOSED");
  nbd_close (h);
  h = connected ("--bad-magic", "reply");
  CHECK (nbd_flush (h, 0) == -1);
  check_state (h, "DEAD");
  nbd_close (h);
  return 0;
}
