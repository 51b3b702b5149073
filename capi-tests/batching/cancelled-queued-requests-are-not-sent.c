/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, a queued command can be cancelled: its request is not sent, those
 * of the others are, in order, also if none is left and after that.
 * Source: nbd_ext_aio_cancel(3), nbd_ext_set_batching(3).
 */
#include "../harness/batches.h"

#define COMMANDS 10
#define SIZE 512

static char data[COMMANDS][SIZE];

static int
completion (void *user_data, int *error)
{
  *(int *) user_data = *error ? *error : -1;
  return 1;
}

/* Queues writes of which those in `cancelled`, a bit for each, are cancelled. */
static void
check (struct nbd_handle *h, struct peer *peer, unsigned cancelled)
{
  int errors[COMMANDS] = { 0 };
  int64_t cookies[COMMANDS];

  for (int i = 0; i < COMMANDS; ++i) {
    nbd_completion_callback callback = { .callback = completion,
                                         .user_data = &errors[i] };
    struct iovec halves[2] = { { data[i], SIZE / 2 },
                               { data[i] + SIZE / 2, SIZE / 2 } };

    memset (data[i], 'a' + i, SIZE);
    cookies[i] = i % 2
                     ? nbd_ext_aio_pwritev (h, halves, 2, i * SIZE, callback, 0)
                     : nbd_aio_pwrite (h, data[i], SIZE, i * SIZE, callback, 0);
    CHECK (cookies[i] > 0);
  }
  for (int i = 0; i < COMMANDS; ++i)
    if (cancelled & 1U << i) {
      CHECK (nbd_ext_aio_cancel (h, cookies[i]) == 1);
      CHECK (errors[i] == ECANCELED);
      memset (data[i], 0, SIZE);
    }
  CHECK (!arrives (peer, 0));
  CHECK (nbd_ext_send (h) == 0);
  for (int i = 0; i < COMMANDS; ++i)
    if (!(cancelled & 1U << i)) {
      char payload[SIZE];
      struct request request = peer_request (peer, payload);

      CHECK (request.type == NBD_CMD_WRITE && request.length == SIZE);
      CHECK (request.offset == (uint64_t) i * SIZE);
      CHECK (memcmp (payload, data[i], SIZE) == 0);
      peer_success (peer, &request);
    }
  CHECK (!arrives (peer, 0));
  wait_for_all (h);
  for (int i = 0; i < COMMANDS; ++i)
    CHECK (errors[i] == (cancelled & 1U << i ? ECANCELED : -1));
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
}

int
main (void)
{
  const unsigned all = (1U << COMMANDS) - 1;
  struct peer peer = { .replies = SIMPLE };
  struct nbd_handle *h = batching_handle (&peer);

  for (int i = 0; i < COMMANDS; ++i) {
    check (h, &peer, 1U << i);
    check (h, &peer, all & ~(1U << i));
  }
  check (h, &peer, all);
  check (h, &peer, 0);
  check (h, &peer, all);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
