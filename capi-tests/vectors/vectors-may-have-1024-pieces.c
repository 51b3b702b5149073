/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* 1024 pieces of any size are written and read, up to 64 MiB together. Pieces
 * of a read that overlap leave the memory around them alone.
 * Source: nbd_ext_preadv(3), nbd_ext_pwritev(3).
 */
#include "../harness/vectors.h"

static unsigned char data[64 * MIB];

static void
transfer (struct nbd_handle *h, struct vector *v, bool synchronous)
{
  put_in_vector (v, data);
  write_vector (h, v, 0, synchronous);
  fill_vector (v, 's');
  read_vector (h, v, 0, synchronous);
  check_vector (v, data);
}

static void
transfer_all (struct nbd_handle *h)
{
  size_t lengths[MAX_PIECES];
  struct vector v;

  for (int synchronous = 0; synchronous < 2; ++synchronous) {
    make_even_vector (&v, 1, MAX_PIECES);
    transfer (h, &v, synchronous);
    free_vector (&v);

    for (int i = 0; i < MAX_PIECES; ++i)
      lengths[i] = i % 7 == 0 ? 0 : i * 37 % 5000;
    make_vector (&v, lengths, MAX_PIECES);
    transfer (h, &v, synchronous);
    free_vector (&v);

    /* The last of many pieces is large. */
    for (int i = 0; i < MAX_PIECES; ++i)
      lengths[i] = i < MAX_PIECES - 1 ? 3 : 2 * MIB;
    make_vector (&v, lengths, MAX_PIECES);
    transfer (h, &v, synchronous);
    free_vector (&v);
  }
}

static void
transfer_64_mib (struct nbd_handle *h)
{
  struct vector v;

  make_even_vector (&v, 64 * KIB, MAX_PIECES);
  put_in_vector (&v, data);
  CHECK (nbd_ext_pwritev (h, v.iov, MAX_PIECES / 2, 0, 0) == 0);
  CHECK (nbd_ext_pwritev (h, v.iov + MAX_PIECES / 2, MAX_PIECES / 2, 32 * MIB,
                          0)
         == 0);
  fill_vector (&v, 's');
  CHECK (nbd_ext_preadv (h, v.iov, MAX_PIECES, 0, 0) == 0);
  check_vector (&v, data);
  free_vector (&v);
}

static void
overlap (struct nbd_handle *h)
{
  struct vector v;
  size_t length = 4096;

  make_vector (&v, &length, 1);
  for (int i = 1; i < MAX_PIECES; ++i)
    v.iov[i] = (struct iovec) { (char *) v.iov[0].iov_base + i, length - i };
  CHECK (nbd_ext_preadv (h, v.iov, MAX_PIECES, 0, 0) == 0);
  CHECK (wait_for (h, nbd_ext_aio_preadv (h, v.iov, MAX_PIECES, 0,
                                          NBD_NULL_COMPLETION, 0))
         == 1);
  check_vector (&v, v.iov[0].iov_base);
  free_vector (&v);
}

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "64M");

  for (size_t i = 0; i < sizeof data; ++i)
    data[i] = i % 253 + 1;
  transfer_all (h);
  transfer_64_mib (h);
  overlap (h);
  nbd_close (h);

  h = connected ("--size", "64M", "--no-structured-replies", "--send-size",
                 "1000");
  transfer_all (h);
  nbd_close (h);
  h = connected ("--size", "64M", "--read-chunks", "1000", "--reverse-chunks");
  transfer_all (h);
  nbd_close (h);
  return 0;
}
