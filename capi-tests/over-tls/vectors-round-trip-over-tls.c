/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Over TLS, pieces of any size are written and read back identical, and nothing
 * around them changes.
 *
 * Source: nbd_ext_preadv(3), nbd_ext_pwritev(3).
 */
#include "../harness/tls.h"
#include "../harness/vectors.h"

static void
transfer (struct nbd_handle *h, const size_t *lengths, int count,
          bool synchronous)
{
  struct vector v;
  unsigned char *data;

  make_vector (&v, lengths, count);
  CHECK ((data = malloc (v.length)) != NULL);
  fill (data, v.length, 0, count);
  put_in_vector (&v, data);
  write_vector (h, &v, 0, synchronous);
  fill_vector (&v, 0);
  read_vector (h, &v, 0, synchronous);
  check_vector (&v, data);
  free_vector (&v);
  free (data);
}

int
main (void)
{
  struct nbd_handle *h = configured ();
  size_t lengths[MAX_PIECES];

  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  for (int synchronous = 0; synchronous < 2; ++synchronous) {
    for (int i = 0; i < 512; ++i)
      lengths[i] = 1;
    transfer (h, lengths, 512, synchronous);
    for (int i = 0; i < MAX_PIECES; ++i)
      lengths[i] = 4096;
    transfer (h, lengths, MAX_PIECES, synchronous);
    /* Around the size of a TLS record; 512 KiB in all. */
    for (int i = 0; i < 32; ++i)
      lengths[i] = 16384 - 16 + i;
    lengths[31] = 512 * KIB;
    for (int i = 0; i < 31; ++i)
      lengths[31] -= lengths[i];
    transfer (h, lengths, 32, synchronous);
  }
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
