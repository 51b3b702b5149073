/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Without memory to copy the array, a read into pieces or a write from pieces
 * fails with ENOMEM before the request is sent, and the pieces of a read are
 * cleared. Without memory for other large allocations, the data still arrives.
 * Source: malloc(3); nbd_ext_preadv(3), nbd_set_pread_initialize(3).
 */
#include "../harness/memory.h"
#include "../harness/vectors.h"

#define LENGTH 500

static char data[MAX_PIECES * LENGTH], zeroes[MAX_PIECES * LENGTH];

/* Lets large allocations fail from now on: from this one on, one or all. */
static void
refuse (long number, bool for_good)
{
  allocations = refused = 0;
  first_refused = number;
  last_refused = for_good ? LONG_MAX : number;
}

/* Makes memory available again.  Returns true if there was too little. */
static bool
lacked_memory (void)
{
  last_refused = -1;
  return refused > 0;
}

static int
read_pieces (struct nbd_handle *h, const struct vector *v, bool synchronous)
{
  int64_t cookie;

  if (synchronous)
    return nbd_ext_preadv (h, v->iov, v->count, 0, 0);
  cookie = nbd_ext_aio_preadv (h, v->iov, v->count, 0, NBD_NULL_COMPLETION, 0);
  return cookie == -1 ? -1 : wait_for (h, cookie);
}

static int
write_pieces (struct nbd_handle *h, const struct vector *v, bool synchronous)
{
  int64_t cookie;

  if (synchronous)
    return nbd_ext_pwritev (h, v->iov, v->count, 0, 0);
  cookie = nbd_ext_aio_pwritev (h, v->iov, v->count, 0, NBD_NULL_COMPLETION, 0);
  return cookie == -1 ? -1 : wait_for (h, cookie);
}

/* Returns false if there were fewer allocations. */
static bool
transfer (struct nbd_handle *h, struct vector *v, long number, bool for_good,
          bool synchronous)
{
  bool lacked, success;

  put_in_vector (v, data);
  refuse (number, for_good);
  success = MAY_LACK_MEMORY (write_pieces (h, v, synchronous));
  lacked = lacked_memory ();
  if (!success)
    CHECK (write_pieces (h, v, synchronous) != -1);

  fill_vector (v, 's');
  refuse (number, for_good);
  success = MAY_LACK_MEMORY (read_pieces (h, v, synchronous));
  lacked |= lacked_memory ();
  check_vector (v, success ? data : zeroes);
  CHECK (nbd_aio_is_ready (h) == 1);
  return lacked;
}

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");
  struct vector v;

  for (size_t i = 0; i < sizeof data; ++i)
    data[i] = i % 247 + 1;
  make_even_vector (&v, LENGTH, MAX_PIECES);
  for (int synchronous = 0; synchronous < 2; ++synchronous)
    for (int for_good = 0; for_good < 2; ++for_good) {
      long number = 1;

      while (transfer (h, &v, number, for_good, synchronous))
        CHECK (++number < 1000);
      CHECK (number > 1 || !can_run_out ());
    }
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  free_vector (&v);
  return 0;
}
