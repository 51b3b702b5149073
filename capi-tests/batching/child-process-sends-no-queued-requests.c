/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, a child of fork(2) does not send the requests that its parent
 * has queued when it exits or closes its copy of the handle: the parent sends
 * them, once.
 */
#include "../harness/batches.h"

#define REQUESTS 20

static void (*const children[]) (struct nbd_handle *) = {
  nbd_close,
  just_exit,
};

int
main (void)
{
  /* A child that does not close the handle leaks it, according to valgrind. */
  size_t count = getenv ("TEST_UNDER_VALGRIND") ? 1 : ITEMS (children);

  for (size_t i = 0; i < count; ++i) {
    struct peer peer = { .replies = SIMPLE };
    struct nbd_handle *h = batching_handle (&peer);

    burst (h, REQUESTS);
    in_child (children[i], h);
    CHECK (!arrives (&peer, 0));
    CHECK (nbd_ext_send (h) == 0);
    expect_requests (&peer, REQUESTS);
    nbd_close (h);
    peer_close (&peer);
  }
  return 0;
}
