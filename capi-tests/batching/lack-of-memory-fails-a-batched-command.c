/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, the memory of a queued request is allocated when its command is
 * issued: without it this call fails, and every command that was issued completes.
 * A program of which a large allocation fails, or all from one on, shows it.
 * Source: nbd_ext_set_batching(3); libnbd(3), "Errno".
 */
#include "../harness/batches.h"

#include "../harness/memory.h"

#define DEPTH 1500
#define SIZE 512

static int completions[DEPTH], frees[DEPTH];

static int
completion (void *user_data, int *error)
{
  CHECK (*error == 0 || refused > 0);
  ++completions[(int *) user_data - frees];
  return 1;
}

static void
walk (void)
{
  static char buffer[SIZE];
  struct nbd_handle *h = connected ("--size", "1M");
  int64_t cookies[DEPTH];

  memset (completions, 0, sizeof completions);
  memset (frees, 0, sizeof frees);
  batching (h);
  for (int i = 0; i < DEPTH; ++i) {
    nbd_completion_callback callback = { .callback = completion,
                                         .user_data = &frees[i],
                                         .free = count_free };

    cookies[i] = i % 2
                     ? nbd_aio_flush (h, callback, 0)
                     : nbd_aio_pwrite (h, buffer, SIZE, i * SIZE, callback, 0);
    MAY_LACK_MEMORY (cookies[i]);
  }
  while (nbd_aio_in_flight (h) > 0)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1 || nbd_aio_is_dead (h));
  for (int i = 0; i < DEPTH; ++i) {
    CHECK (completions[i] == (cookies[i] != -1));
    CHECK (frees[i] == 1);
  }
  nbd_close (h);
}

int
main (void)
{
  run_without_each ("batched commands", walk);
  CHECK (failed_runs == 0);
  return 0;
}
