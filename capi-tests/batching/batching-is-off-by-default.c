/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Batching is off until the program turns it on, at any time and with any true
 * byte. Without it, each request leaves at once, and nbd_ext_send does nothing.
 * Source: nbd_ext_set_batching(3).
 */
#include "../harness/batches.h"

int
main (void)
{
  struct peer peer = { .replies = SIMPLE };
  struct nbd_handle *h = nbd_create ();
  int (*set_byte) (struct nbd_handle *, unsigned char);

  CHECK (h != NULL);
  CHECK (nbd_ext_get_batching (h) == 0);
  CHECK_ERROR (nbd_ext_send (h), ENOTCONN);
  CHECK (nbd_ext_set_batching (h, true) == 0);
  CHECK (nbd_ext_get_batching (h) == 1);
  CHECK (nbd_ext_set_batching (h, false) == 0);
  peer_connect (h, &peer);
  CHECK (nbd_ext_get_batching (h) == 0);
  burst (h, 3);
  expect_requests (&peer, 3);
  CHECK (nbd_ext_send (h) == 0);
  CHECK (!arrives (&peer, 0));

  set_byte = (int (*) (struct nbd_handle *,
                       unsigned char)) (void (*) (void)) nbd_ext_set_batching;
  CHECK (set_byte (h, 0x80) == 0);
  CHECK (nbd_ext_get_batching (h) == 1);
  burst (h, 3);
  CHECK (!arrives (&peer, 0));
  CHECK (nbd_ext_set_batching (h, false) == 0);
  expect_requests (&peer, 3);
  burst (h, 1);
  expect_requests (&peer, 1);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
