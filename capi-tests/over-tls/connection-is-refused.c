/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The connection fails with an error that gives the reason, and the handle
 * cannot move data.
 *
 * Source: nbd_set_tls(3): "always fail to connect if the connection is not
 * encrypted and authenticated".  In the environment, ERRNOS has what the errno
 * may be and WORDS what the message may say (see check_last_error); with DEAD
 * the failure is one of the connection, which cannot be used again.
 * In option mode too, with OPT_MODE, where a connection that is properly ended
 * is closed instead.
 */
#include "../harness/tls.h"

int
main (void)
{
  struct nbd_handle *h = configured ();

  if (setting ("OPT_MODE"))
    CHECK (nbd_set_opt_mode (h, true) == 0);
  CHECK (connect_to_server (h) == -1);
  fprintf (stderr, "refused: %s (errno %d)\n", nbd_get_error (),
           nbd_get_errno ());
  check_last_error (required_setting ("ERRNOS"), required_setting ("WORDS"));
  if (setting ("DEAD"))
    CHECK (nbd_aio_is_dead (h) == 1
           || (setting ("OPT_MODE") && nbd_aio_is_closed (h) == 1));
  check_unusable (h);
  nbd_close (h);
  return 0;
}
