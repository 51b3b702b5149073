/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each nbd_ext_send sends as much as the socket accepts, also of what an earlier
 * one had to leave: no other call is needed to send everything.
 * Source: nbd_ext_send(3).
 */
#include "../harness/batches.h"

#define SIZE (1 * MIB)
#define WRITES 8

static char data[SIZE];

/* Receives everything that has been sent so far. */
static size_t
drain (struct peer *peer)
{
  static char bytes[SIZE];
  size_t count = 0;
  ssize_t r;

  while ((r = recv (peer->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
    count += r;
  CHECK (r == -1 && errno == EAGAIN);
  return count;
}

static void
check (bool batches)
{
  struct peer peer = { .replies = SIMPLE, .size = WRITES * SIZE };
  struct nbd_handle *h = nbd_create ();
  size_t sent = 0, all = WRITES * (28 + SIZE);

  peer_connect (h, &peer);
  CHECK (nbd_ext_set_batching (h, batches) == 0);
  for (int i = 0; i < WRITES; ++i)
    CHECK (nbd_aio_pwrite (h, data, SIZE, i * SIZE, NBD_NULL_COMPLETION, 0)
           > 0);
  while (sent < all) {
    size_t before = sent;

    CHECK (nbd_aio_is_processing (h) == 1 || !batches);
    CHECK (nbd_ext_send (h) == 0);
    sent += drain (&peer);
    CHECK (sent > before);
  }
  CHECK (sent == all);
  CHECK (nbd_aio_is_ready (h) == 1);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  check (true);
  check (false);
  return 0;
}
