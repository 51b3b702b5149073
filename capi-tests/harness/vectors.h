/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Buffers in several pieces, with guard bytes between them. */
#ifndef HARNESS_VECTORS_H
#define HARNESS_VECTORS_H

#include "commands.h"

#include <limits.h>
#include <libnbd-ext.h>

#define MAX_PIECES 1024
#define GUARD 0xa5

struct vector {
  unsigned char
      *memory;   /* the pieces, with a guard byte before and after each */
  size_t size;   /* of the memory */
  size_t length; /* of all pieces together */
  struct iovec iov[MAX_PIECES];
  int count;
};

/* Makes `count` pieces. */
static inline void
make_vector (struct vector *v, const size_t *lengths, int count)
{
  size_t at = 1;

  CHECK (count <= MAX_PIECES);
  v->count = count;
  v->length = 0;
  for (int i = 0; i < count; ++i)
    v->length += lengths[i];
  v->size = v->length + count + 1;
  CHECK ((v->memory = malloc (v->size)) != NULL);
  memset (v->memory, GUARD, v->size);
  for (int i = 0; i < count; ++i) {
    v->iov[i] = (struct iovec) { v->memory + at, lengths[i] };
    at += lengths[i] + 1;
  }
}

/* Makes pieces of the same length. */
static inline void
make_even_vector (struct vector *v, size_t length, int count)
{
  size_t lengths[MAX_PIECES];

  CHECK (count <= MAX_PIECES);
  for (int i = 0; i < count; ++i)
    lengths[i] = length;
  make_vector (v, lengths, count);
}

static inline void
free_vector (struct vector *v)
{
  free (v->memory);
}

/* Stores data in the pieces. */
static inline void
put_in_vector (struct vector *v, const void *data)
{
  const char *next = data;

  for (int i = 0; i < v->count; ++i) {
    memcpy (v->iov[i].iov_base, next, v->iov[i].iov_len);
    next += v->iov[i].iov_len;
  }
}

/* Stores the same byte in all pieces. */
static inline void
fill_vector (struct vector *v, int byte)
{
  for (int i = 0; i < v->count; ++i)
    memset (v->iov[i].iov_base, byte, v->iov[i].iov_len);
}

/* Checks that the pieces hold this data, and that nothing around them has
 * changed. */
static inline void
check_vector (const struct vector *v, const void *data)
{
  const unsigned char *at = v->memory, *next = data;

  for (int i = 0; i < v->count; ++i) {
    size_t length = v->iov[i].iov_len;

    CHECK (*at++ == GUARD);
    CHECK (memcmp (at, next, length) == 0);
    at += length;
    next += length;
  }
  CHECK (*at++ == GUARD);
  CHECK (at == v->memory + v->size);
}

/* Reads into the pieces. */
static inline void
read_vector (struct nbd_handle *h, struct vector *v, uint64_t offset,
             bool synchronous)
{
  if (synchronous)
    CHECK (nbd_ext_preadv (h, v->iov, v->count, offset, 0) == 0);
  else
    CHECK (wait_for (h, nbd_ext_aio_preadv (h, v->iov, v->count, offset,
                                            NBD_NULL_COMPLETION, 0))
           == 1);
}

/* Writes the pieces. */
static inline void
write_vector (struct nbd_handle *h, const struct vector *v, uint64_t offset,
              bool synchronous)
{
  if (synchronous)
    CHECK (nbd_ext_pwritev (h, v->iov, v->count, offset, 0) == 0);
  else
    CHECK (wait_for (h, nbd_ext_aio_pwritev (h, v->iov, v->count, offset,
                                             NBD_NULL_COMPLETION, 0))
           == 1);
}

/* Makes the pieces of a payload of `size` bytes that is split at two places. */
static inline void
split_vector (struct vector *v, size_t first, size_t second, size_t size)
{
  size_t lengths[] = { first, second - first, size - second };

  make_vector (v, lengths, 3);
}

#endif /* HARNESS_VECTORS_H */
