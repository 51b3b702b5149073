/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server that replies to a partly received request cannot be trusted: the
 * connection is dead, each command in flight completes once with an error, and
 * nothing waits for data that can never be sent.
 * Source: proto.md, "Transmission": a reply answers a request.
 */
#include "../harness/peer.h"

#define SIZE (16 * 1024 * 1024)

static char data[SIZE];

static int
done (void *user_data, int *error)
{
  CHECK (*error != 0);
  ++*(int *) user_data;
  return 1;
}

static void
reply_to (uint64_t cookie, int writes)
{
  struct peer peer = { .oldstyle = true, .size = 64 * MIB, .flags = 1 };
  const struct request request = { .cookie = htobe64 (cookie) };
  struct nbd_handle *h = nbd_create ();
  int completed = 0;
  nbd_completion_callback completion = {
    .callback = done,
    .user_data = &completed,
  };

  peer_connect (h, &peer);
  /* More than the socket accepts, so the first one stays partly unsent. */
  for (int i = 0; i < writes; ++i)
    CHECK (nbd_aio_pwrite (h, data, SIZE, 0, completion, 0) == i + 1);
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_BOTH);
  peer_simple (&peer, &request, 5);
  CHECK (nbd_poll (h, -1) == -1);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (completed == writes);
  CHECK (nbd_aio_in_flight (h) == 0);
  nbd_close (h);
  CHECK (completed == writes);
  peer_close (&peer);
}

int
main (void)
{
  reply_to (1, 1);
  reply_to (1, 2);
  reply_to (2, 2);
  return 0;
}
