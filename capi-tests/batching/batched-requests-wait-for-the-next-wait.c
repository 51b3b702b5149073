/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, requests stay queued until the program waits or asks: in each
 * of these calls, which sends all of them with one system call, and in no other.
 * Source: nbd_ext_set_batching(3).
 */
#include "../harness/batches.h"

#include "../harness/counted-calls.h"

#define REQUESTS 50

static void
call_nbd_poll (struct nbd_handle *h)
{
  CHECK (nbd_poll (h, 0) == 0);
}

static void
call_nbd_poll2 (struct nbd_handle *h)
{
  CHECK (nbd_poll2 (h, -1, 0) == 0);
}

static void
call_get_direction (struct nbd_handle *h)
{
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
}

static void
call_notify_read (struct nbd_handle *h)
{
  CHECK (nbd_aio_notify_read (h) == 0);
}

static void
call_notify_write (struct nbd_handle *h)
{
  CHECK (nbd_aio_notify_write (h) == 0);
}

static void
call_ext_send (struct nbd_handle *h)
{
  CHECK (nbd_ext_send (h) == 0);
}

static void
turn_off (struct nbd_handle *h)
{
  CHECK (nbd_ext_set_batching (h, false) == 0);
}

/* Synchronous calls do so even if they fail. */
static void
call_pread (struct nbd_handle *h)
{
  char data[512];

  CHECK_ERROR (nbd_pread (h, data, sizeof data, 0, ~0U), EINVAL);
}

static void
call_shutdown (struct nbd_handle *h)
{
  CHECK_ERROR (nbd_shutdown (h, ~0U), EINVAL);
}

static void
call_aio_disconnect (struct nbd_handle *h)
{
  CHECK_ERROR (nbd_aio_disconnect (h, ~0U), EINVAL);
}

/* None of these sends anything. */
static void
call_everything_else (struct nbd_handle *h, int fd)
{
  CHECK (nbd_aio_in_flight (h) == REQUESTS);
  CHECK (nbd_aio_is_processing (h) == 1);
  CHECK (nbd_aio_is_ready (h) == 0);
  CHECK (nbd_aio_command_completed (h, 1) == 0);
  CHECK (nbd_aio_peek_command_completed (h) == 0);
  CHECK (nbd_aio_get_fd (h) == fd);
  CHECK (nbd_get_size (h) == MIB);
  CHECK (nbd_ext_get_batching (h) == 1);
  CHECK (nbd_ext_set_batching (h, true) == 0);
  CHECK (nbd_stats_chunks_sent (h) == nbd_stats_chunks_sent (h));
  CHECK (nbd_connection_state (h) != NULL);
}

static void
check (struct nbd_handle *h, struct peer *peer,
       void (*call) (struct nbd_handle *h))
{
  int fd = nbd_aio_get_fd (h);

  system_calls = 0;
  burst (h, REQUESTS);
  call_everything_else (h, fd);
  CHECK (system_calls == 0);
  CHECK (!arrives (peer, 0));
  sends = 0;
  call (h);
  CHECK (sends == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  expect_requests (peer, REQUESTS);
}

static void
run (void (*call) (struct nbd_handle *h))
{
  struct peer peer = { .replies = SIMPLE };
  struct nbd_handle *h = batching_handle (&peer);

  check (h, &peer, call);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  run (call_nbd_poll);
  run (call_nbd_poll2);
  run (call_get_direction);
  run (call_notify_read);
  run (call_notify_write);
  run (call_ext_send);
  run (turn_off);
  run (call_pread);
  run (call_shutdown);
  run (call_aio_disconnect);
  return 0;
}
