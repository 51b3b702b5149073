/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests that are sent together (nbd_ext_set_batching), to a server played by
 * the program.
 */
#ifndef HARNESS_BATCHES_H
#define HARNESS_BATCHES_H

#include "peer-bursts.h"

#include <libnbd-ext.h>

static inline struct nbd_handle *
batching (struct nbd_handle *h)
{
  CHECK (h != NULL);
  CHECK (nbd_ext_set_batching (h, true) == 0);
  return h;
}

/* Connects a handle with batching to a server played by the program. */
static inline struct nbd_handle *
batching_handle (struct peer *peer)
{
  struct nbd_handle *h = nbd_create ();

  peer_connect (h, peer);
  return batching (h);
}

/* Waits with poll(2) in the direction of the handle, and makes the notify call.
 * Returns its result.
 */
static inline int
wait_by_own_loop (struct nbd_handle *h)
{
  unsigned direction = nbd_aio_get_direction (h);
  struct pollfd fd = { .fd = nbd_aio_get_fd (h) };

  CHECK (direction != 0);
  if (direction & LIBNBD_AIO_DIRECTION_READ)
    fd.events |= POLLIN;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    fd.events |= POLLOUT;
  CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
  if ((direction & LIBNBD_AIO_DIRECTION_READ) && (fd.revents & ~POLLOUT))
    return nbd_aio_notify_read (h);
  if (fd.revents & POLLOUT)
    return nbd_aio_notify_write (h);
  return 0;
}

#endif /* HARNESS_BATCHES_H */
