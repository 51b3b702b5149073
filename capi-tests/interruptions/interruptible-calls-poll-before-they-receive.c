/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A synchronous command that may be interrupted needs one more system call, and
 * one that may not needs none.  The limit can be 0 for none, 1, or INT_MAX.
 * Source: nbd_ext_set_timeout(3), nbd_ext_set_cancellable(3).
 */
#include "../harness/peer.h"
#include "../harness/counted-calls.h"

#include <libnbd-ext.h>

#include <limits.h>

static struct nbd_handle *h;
static struct peer peer;
static uint64_t cookie;

/* Returns the number of system calls of a read. */
static unsigned long
count_calls (void)
{
  struct request request = { .cookie = htobe64 (++cookie) };
  char data[512] = { 0 };

  /* The reply is there already. */
  peer_simple (&peer, &request, 0);
  peer_write (&peer, data, sizeof data);
  system_calls = 0;
  if (nbd_pread (h, data, sizeof data, 0, 0) == -1)
    CHECK (nbd_get_errno () == ETIMEDOUT && nbd_ext_get_timeout (h) == 1);
  return system_calls;
}

int
main (void)
{
  h = nbd_create ();
  peer = (struct peer) { .replies = SIMPLE };
  peer_accept (h, &peer);
  CHECK (nbd_ext_get_timeout (h) == 0);
  CHECK (nbd_ext_get_cancellable (h) == 0);
  CHECK (count_calls () == 2);

  CHECK (nbd_ext_set_timeout (h, INT_MAX) == 0);
  CHECK (nbd_ext_get_timeout (h) == INT_MAX);
  CHECK (count_calls () == 3);
  CHECK_ERROR (nbd_ext_set_timeout (h, -1), EINVAL);
  CHECK_ERROR (nbd_ext_set_timeout (h, INT_MIN), EINVAL);
  CHECK (nbd_ext_get_timeout (h) == INT_MAX);
  CHECK (nbd_ext_set_timeout (h, 0) == 0);
  CHECK (count_calls () == 2);

  CHECK (nbd_ext_set_cancellable (h, true) == 0);
  CHECK (count_calls () == 3);
  CHECK (nbd_ext_set_cancellable (h, false) == 0);
  CHECK (count_calls () == 2);

  /* A reply that is there may be in time, or too late on a slow machine. */
  CHECK (nbd_ext_set_timeout (h, 1) == 0);
  count_calls ();
  CHECK (nbd_ext_set_timeout (h, 0) == 0);
  CHECK (count_calls () <= 3);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
