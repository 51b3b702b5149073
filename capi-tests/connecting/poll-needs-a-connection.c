/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Before connecting, after closing, and on a dead handle, polling fails with
 * EINVAL, and so do the notify calls and the query for the descriptor.
 * Source: nbd_poll(3), nbd_aio_notify_read(3); nbd_aio_get_direction(3) is 0.
 */
#include "../harness/commands.h"

static void
nothing_to_wait_for (struct nbd_handle *h, const char *state)
{
  char message[200];

  CHECK (nbd_aio_get_direction (h) == 0);
  CHECK_ERROR (nbd_poll (h, 0), EINVAL);
  snprintf (message, sizeof message,
            "nbd_poll: nothing to poll for in state "
            "%s: Invalid argument",
            state);
  CHECK_EXACT_MESSAGE (message);
  CHECK_ERROR (nbd_poll2 (h, -1, -1), EINVAL);
  CHECK_MESSAGE ("nbd_poll2: nothing to poll for in state");
  CHECK_ERROR (nbd_aio_notify_read (h), EINVAL);
  CHECK_MESSAGE (state);
  CHECK_ERROR (nbd_aio_notify_write (h), EINVAL);
  CHECK_ERROR (nbd_aio_get_fd (h), EINVAL);
  nbd_close (h);
}

int
main (void)
{
  struct nbd_handle *h;

  nothing_to_wait_for (nbd_create (), "START");
  h = connected ("--size", "1M");
  CHECK (nbd_shutdown (h, 0) == 0);
  nothing_to_wait_for (h, "CLOSED");
  h = connected ("--bad-magic", "reply");
  CHECK (nbd_flush (h, 0) == -1);
  nothing_to_wait_for (h, "DEAD");
  return 0;
}
