/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When the connection ends, partly or entirely unsent commands fail first, in
 * order of issue; then the others, newest first.  nbd_close uses the same
 * order.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

static char order[8];

static int
note (void *user_data, int *error)
{
  CHECK (*error == ENOTCONN);
  strncat (order, user_data, 1);
  return 1;
}

#define NAMED(name) \
  ((nbd_completion_callback) { .callback = note, .user_data = (name) })

static void
end (bool by_server)
{
  static char data[4 * MIB], buf[512];
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE, .size = 64 * MIB };

  order[0] = '\0';
  peer_connect (h, &peer);
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, NAMED ("1"), 0) == 1);
  CHECK (nbd_aio_flush (h, NAMED ("2"), 0) == 2);
  CHECK (nbd_aio_pwrite (h, data, sizeof data, 0, NAMED ("3"), 0) == 3);
  CHECK (nbd_aio_flush (h, NAMED ("4"), 0) == 4);
  CHECK (nbd_aio_flush (h, NAMED ("5"), 0) == 5);
  if (by_server) {
    peer_close (&peer);
    CHECK (nbd_poll (h, LONG_ENOUGH) == -1);
    CHECK (nbd_aio_is_dead (h) == 1);
  }
  nbd_close (h);
  CHECK (strcmp (order, "34521") == 0);
  if (!by_server)
    peer_close (&peer);
}

int
main (void)
{
  end (true);
  end (false);
  return 0;
}
