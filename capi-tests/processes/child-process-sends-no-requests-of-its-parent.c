/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A child of fork(2) sends no request of its parent: not when it exits, not
 * when it closes its copy of the handle, and not when it uses its own handles.
 * Old data would overwrite newer data on the disk.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer-bursts.h"

#define REQUESTS 5

static void
use_own_handle (struct nbd_handle *h)
{
  struct peer peer;
  struct nbd_handle *own = busy_handle (&peer);

  (void) h;
  burst (own, 1);
  expect_requests (&peer, 1);
  CHECK (nbd_aio_get_direction (own) == LIBNBD_AIO_DIRECTION_READ);
  CHECK (nbd_poll (own, 0) == 0);
  nbd_close (own);
  peer_close (&peer);
}

static void (*const children[]) (struct nbd_handle *) = {
  nbd_close,
  just_exit,
  use_own_handle,
};

int
main (void)
{
  /* A child that does not close the handle leaks it, according to valgrind. */
  size_t count = getenv ("TEST_UNDER_VALGRIND") ? 1 : ITEMS (children);

  for (size_t i = 0; i < count; ++i) {
    struct peer peer;
    struct nbd_handle *h = busy_handle (&peer);

    burst (h, REQUESTS);
    in_child (children[i], h);
    CHECK (nbd_poll (h, 0) == 0);
    expect_requests (&peer, REQUESTS);
    nbd_close (h);
    peer_close (&peer);
  }
  return 0;
}
