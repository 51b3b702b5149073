/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A size that does not fit the result is EOVERFLOW in the getter; the
 * connection itself succeeds.
 *
 * Source: nbd_get_size(3).
 */
#include "../harness/peer.h"

/* Connects to an oldstyle export with this size in exabytes. */
static struct nbd_handle *
connect_to (uint64_t exabytes)
{
  struct peer peer = { .oldstyle = true, .size = exabytes << 60, .flags = 1 };
  struct nbd_handle *h = nbd_create ();

  peer_connect (h, &peer);
  peer_close (&peer);
  return h;
}

int
main (void)
{
  struct nbd_handle *h = connect_to (7);

  CHECK (nbd_get_size (h) == INT64_C (7) << 60);
  nbd_close (h);

  h = connect_to (8);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK_ERROR (nbd_get_size (h), EOVERFLOW);
  CHECK_MESSAGE ("9223372036854775808");
  nbd_close (h);

  h = connect_to (15);
  CHECK_ERROR (nbd_get_size (h), EOVERFLOW);
  nbd_close (h);
  return 0;
}
