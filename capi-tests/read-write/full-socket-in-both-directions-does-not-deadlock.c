/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many writes are queued without receiving while many replies with data arrive:
 * the library receives while it sends, so both sides make progress.
 * Source: nbd_aio_get_direction(3) (LIBNBD_AIO_DIRECTION_BOTH).
 */
#include "../harness/commands.h"

#define COMMANDS 48
#define SIZE (1024 * 1024)

static char data[SIZE];
static char got[COMMANDS][SIZE];

static int
done (void *user_data, int *error)
{
  CHECK (*error == 0);
  ++*(int *) user_data;
  return 1;
}

static void
run (struct nbd_handle *h)
{
  int completed = 0;
  nbd_completion_callback completion = { .callback = done };

  completion.user_data = &completed;
  memset (data, 'd', sizeof data);
  memset (got, 0, sizeof got);
  for (int i = 0; i < COMMANDS; ++i) {
    CHECK (nbd_aio_pread (h, got[i], SIZE, i * (uint64_t) SIZE, completion, 0)
           > 0);
    CHECK (nbd_aio_pwrite (h, data, SIZE, (COMMANDS + i) * (uint64_t) SIZE,
                           completion, 0)
           > 0);
  }
  wait_for_all (h);
  CHECK (completed == 2 * COMMANDS);
  CHECK (nbd_aio_is_ready (h) == 1);
  for (int i = 0; i < COMMANDS; ++i)
    for (uint64_t j = 0; j < SIZE; j += 4096) {
      uint64_t word;

      memcpy (&word, got[i] + j, 8);
      CHECK (be64toh (word) == i * (uint64_t) SIZE + j);
    }
  CHECK (nbd_pread (h, got[0], SIZE, (2 * COMMANDS - 1) * (uint64_t) SIZE, 0)
         == 0);
  CHECK (memcmp (got[0], data, SIZE) == 0);
  nbd_close (h);
}

int
main (void)
{
  run (connected ("--size", "96M", "--pattern"));
  run (connected ("--size", "96M", "--pattern", "--no-structured-replies"));
  return 0;
}
