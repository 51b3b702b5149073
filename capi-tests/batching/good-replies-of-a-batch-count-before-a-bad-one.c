/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, one receive has good replies and then something that ends the
 * connection: the commands of the good ones succeed, all others fail with
 * ENOTCONN, and each completes once.
 */
#include "../harness/batches.h"

#define COMMANDS 30
#define GOOD 10

static int succeeded, failed;

static int
completion (void *user_data, int *error)
{
  int *count = user_data;

  CHECK (++*count == 1);
  CHECK (*error == 0 || *error == ENOTCONN);
  ++*(*error == 0 ? &succeeded : &failed);
  return 1;
}

static void
unknown_magic (struct peer *peer)
{
  peer_write (peer, "this is not a reply header, however one reads it", 48);
}

static void
simple_data_for_nothing (struct peer *peer)
{
  struct request unknown = { .cookie = htobe64 (12345) };

  peer_simple (peer, &unknown, 0);
}

static void
half_a_reply (struct peer *peer)
{
  peer_write (peer, "\x67\x44\x66\x98\0\0", 6);
}

static void
nothing (struct peer *peer)
{
  (void) peer;
}

static void
check (void (*bad) (struct peer *peer), bool clean,
       int (*wait) (struct nbd_handle *h))
{
  struct peer peer = { .replies = SIMPLE };
  struct nbd_handle *h = batching_handle (&peer);
  int counts[COMMANDS] = { 0 };
  int result;

  succeeded = failed = 0;
  for (int i = 0; i < COMMANDS; ++i) {
    nbd_completion_callback callback = { .callback = completion,
                                         .user_data = &counts[i] };

    CHECK (nbd_aio_flush (h, callback, 0) > 0);
  }
  CHECK (nbd_ext_send (h) == 0);
  for (int i = 0; i < COMMANDS; ++i) {
    struct request request = peer_request (&peer, NULL);

    if (i < GOOD)
      peer_success (&peer, &request);
  }
  bad (&peer);
  peer_hang_up (&peer);
  do
    result = wait (h);
  while (result == 0 && !nbd_aio_is_closed (h));
  CHECK (result == (clean ? 0 : -1));
  CHECK (nbd_aio_is_dead (h) == !clean);
  CHECK (succeeded == GOOD && failed == COMMANDS - GOOD);
  CHECK (nbd_aio_in_flight (h) == 0);
  nbd_close (h);
  CHECK (succeeded == GOOD && failed == COMMANDS - GOOD);
  peer_close (&peer);
}

static int
wait_by_nbd_poll (struct nbd_handle *h)
{
  int r = nbd_poll (h, LONG_ENOUGH);

  CHECK (r != 0);
  return r == 1 ? 0 : r;
}

int
main (void)
{
  void (*const bad[]) (struct peer *) = { unknown_magic,
                                          simple_data_for_nothing, half_a_reply,
                                          nothing };

  for (size_t i = 0; i < ITEMS (bad); ++i) {
    check (bad[i], bad[i] == nothing, wait_by_nbd_poll);
    check (bad[i], bad[i] == nothing, wait_by_own_loop);
  }
  return 0;
}
