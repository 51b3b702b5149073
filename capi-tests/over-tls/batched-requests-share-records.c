/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, requests are encrypted together: as many as fit share a record,
 * and one system call sends all of them. One call handles all records that one
 * receive returns, and a loop of the program's own misses none.
 * Source: nbd_ext_set_batching(3).
 */
#include "../harness/batches.h"

#include "../harness/counted-calls.h"
#include "../harness/tls.h"

#define DEPTH 64
#define SIZE 4096
#define ROUNDS 20

static unsigned char written[DEPTH][SIZE], back[DEPTH][SIZE];
static int completed;

static int
completion (void *user_data, int *error)
{
  (void) user_data;
  CHECK (*error == 0);
  ++completed;
  return 1;
}

static int
wait_by_nbd_poll (struct nbd_handle *h)
{
  return nbd_poll (h, LONG_ENOUGH) - 1;
}

static void
run (struct nbd_handle *h, bool write, uint64_t round,
     int (*wait) (struct nbd_handle *h))
{
  nbd_completion_callback callback = { .callback = completion };

  completed = 0;
  sends = 0;
  for (int i = 0; i < DEPTH; ++i) {
    if (write)
      fill (written[i], SIZE, i * SIZE, round);
    CHECK ((write ? nbd_aio_pwrite (h, written[i], SIZE, i * SIZE, callback, 0)
                  : nbd_aio_pread (h, back[i], SIZE, i * SIZE, callback, 0))
           > 0);
  }
  CHECK (sends == 0);
  CHECK (nbd_ext_send (h) == 0);
  CHECK (write || sends == 1);
  while (completed < DEPTH)
    CHECK (wait (h) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
  if (!write)
    CHECK (memcmp (back, written, sizeof back) == 0);
}

int
main (void)
{
  struct nbd_handle *h = configured ();

  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  batching (h);
  for (uint64_t round = 0; round < ROUNDS; ++round) {
    int (*wait) (struct nbd_handle * h) = round < ROUNDS / 2 ? wait_by_nbd_poll
                                                             : wait_by_own_loop;

    run (h, true, round, wait);
    run (h, false, round, wait);
  }
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
