/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A read into pieces stores each byte in its place, wherever the pieces begin
 * and end and however the reply arrives: at once, byte by byte, in chunks, in
 * reverse order, or with holes.
 * Source: nbd_ext_preadv(3), nbd_ext_aio_preadv(3).
 */
#include "../harness/vectors.h"

#define SIZE 20

static const char data[] = "abcdef\0\0\0\0\0\0ghi\0\0\0jk";

static void
check_splits (struct nbd_handle *h)
{
  struct vector v;

  CHECK (nbd_pwrite (h, data, SIZE, 100, 0) == 0);
  for (size_t first = 0; first <= SIZE; ++first)
    for (size_t second = first; second <= SIZE; ++second) {
      split_vector (&v, first, second, SIZE);
      fill_vector (&v, 's');
      read_vector (h, &v, 100, true);
      check_vector (&v, data);

      fill_vector (&v, 's');
      read_vector (h, &v, 100, false);
      check_vector (&v, data);
      free_vector (&v);
    }
  make_even_vector (&v, 1, SIZE);
  read_vector (h, &v, 100, true);
  check_vector (&v, data);
  free_vector (&v);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

int
main (void)
{
  check_splits (connected ("--size", "1M"));
  check_splits (connected ("--size", "1M", "--no-structured-replies"));
  check_splits (connected ("--size", "1M", "--byte-at-a-time"));
  check_splits (connected ("--size", "1M", "--no-structured-replies",
                           "--byte-at-a-time"));
  check_splits (connected ("--size", "1M", "--read-chunks", "3", "--no-holes",
                           "--no-extended-headers"));
  check_splits (connected ("--size", "1M", "--read-chunks", "5", "--min-hole",
                           "2", "--reverse-chunks"));
  check_splits (connected ("--size", "1M", "--read-chunks", "7", "--min-hole",
                           "3", "--send-size", "11"));
  return 0;
}
