/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the server closes the connection at any byte, the calls end with an error
 * or, between two replies, with a closed handle; they never hang.
 * Source: nbd_aio_is_closed(3), nbd_aio_is_dead(3).
 */
#include "../harness/commands.h"

static void
use (char *option)
{
  static char buf[4096];
  bool connected_once = false, finished = false;

  for (unsigned limit = 0; !finished; limit += limit < 400 ? 1 : 137) {
    struct nbd_handle *h = nbd_create ();
    char text[20];
    int r;

    snprintf (text, sizeof text, "%u", limit);
    CHECK (limit < 20000);
    r = nbd_connect_command (h, server_command ("--no-holes", "--close-after",
                                                text, option));
    if (r == 0) {
      connected_once = true;
      r = nbd_pread (h, buf, sizeof buf, 0, 0);
      if (r == 0)
        r = nbd_flush (h, 0);
      finished = r == 0;
    } else
      CHECK (!connected_once);
    if (r == -1) {
      CHECK (nbd_get_error () != NULL);
      CHECK (nbd_aio_is_dead (h) == 1 || nbd_aio_is_closed (h) == 1);
    }
    nbd_close (h);
  }
}

int
main (void)
{
  use ("--newstyle-fixed");
  use ("--no-structured-replies");
  return 0;
}
