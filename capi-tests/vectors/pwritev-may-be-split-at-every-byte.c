/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A write from pieces sends them in order as one request, wherever they begin
 * and end, and changes nothing else.
 * Source: nbd_ext_pwritev(3), nbd_ext_aio_pwritev(3).
 */
#include "../harness/vectors.h"

#define SIZE 20

static const char data[] = "The quick brown fox.";

/* Checks what was written, and erases it. */
static void
check_written (struct nbd_handle *h)
{
  char got[SIZE + 2], around[SIZE + 2];

  memset (around, 'x', sizeof around);
  CHECK (nbd_pread (h, got, sizeof got, 99, 0) == 0);
  CHECK (got[0] == 'x' && got[SIZE + 1] == 'x');
  CHECK (memcmp (got + 1, data, SIZE) == 0);
  CHECK (nbd_pwrite (h, around, sizeof around, 99, 0) == 0);
}

static void
check_splits (struct nbd_handle *h)
{
  struct vector v;
  char around[SIZE + 2];

  memset (around, 'x', sizeof around);
  CHECK (nbd_pwrite (h, around, sizeof around, 99, 0) == 0);
  for (size_t first = 0; first <= SIZE; ++first)
    for (size_t second = first; second <= SIZE; ++second) {
      uint64_t sent = nbd_stats_chunks_sent (h);

      split_vector (&v, first, second, SIZE);
      put_in_vector (&v, data);
      CHECK (nbd_ext_pwritev (h, v.iov, v.count, 100, 0) == 0);
      CHECK (nbd_stats_chunks_sent (h) == sent + 1);
      check_written (h);

      CHECK (wait_for (h, nbd_ext_aio_pwritev (h, v.iov, v.count, 100,
                                               NBD_NULL_COMPLETION,
                                               LIBNBD_CMD_FLAG_FUA))
             == 1);
      check_written (h);
      check_vector (&v, data);
      free_vector (&v);
    }
  make_even_vector (&v, 1, SIZE);
  put_in_vector (&v, data);
  CHECK (nbd_ext_pwritev (h, v.iov, v.count, 100, 0) == 0);
  check_written (h);
  free_vector (&v);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

int
main (void)
{
  check_splits (connected ("--size", "1M"));
  check_splits (connected ("--size", "1M", "--no-extended-headers"));
  check_splits (connected ("--size", "1M", "--no-structured-replies"));
  return 0;
}
