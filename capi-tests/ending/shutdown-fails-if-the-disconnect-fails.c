/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_shutdown fails, and the handle is dead, if the server replies to the
 * disconnect with garbage or half a reply.
 * Source: nbd_shutdown(3), nbd_aio_is_dead(3).
 */
#include "../harness/peer.h"

static void
say_goodbye (const char *last_words, const char *message)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };

  peer_connect (h, &peer);
  peer_write (&peer, last_words, strlen (last_words));
  peer_hang_up (&peer);
  CHECK_ERROR (nbd_shutdown (h, 0), 0);
  CHECK_MESSAGE ("nbd_shutdown: ");
  CHECK_MESSAGE (message);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK_ERROR (nbd_shutdown (h, 0), EINVAL);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  say_goodbye ("garbage garbage garbage garbage",
               "invalid or unexpected reply magic 0x67617262");
  say_goodbye ("\x66\x8e", "server disconnected unexpectedly");
  return 0;
}
