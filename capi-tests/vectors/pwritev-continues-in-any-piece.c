/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the socket accepts only a part of a write from pieces, the rest is sent
 * later, from any byte of any piece. The program may change the array of pieces
 * as soon as the call has returned.
 * Source: nbd_ext_aio_pwritev(3).
 */
#include "../harness/vectors.h"

#include "../harness/real-calls.h"

#define SIZE 40

/* The number of bytes that each call accepts; 0 for all. */
static size_t limit;

ssize_t
send (int fd, const void *data, size_t count, int flags)
{
  if (limit > 0 && count > limit)
    count = limit;
  return real_send (fd, data, count, flags);
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  struct msghdr part = *message;
  struct iovec iov[MAX_PIECES];
  size_t left = limit;

  if (limit == 0)
    return real_sendmsg (fd, message, flags);
  CHECK (message->msg_iovlen <= MAX_PIECES);
  for (part.msg_iovlen = 0; left > 0; ++part.msg_iovlen) {
    struct iovec *piece = &iov[part.msg_iovlen];

    if (part.msg_iovlen == message->msg_iovlen)
      break;
    *piece = message->msg_iov[part.msg_iovlen];
    if (piece->iov_len > left)
      piece->iov_len = left;
    left -= piece->iov_len;
  }
  part.msg_iov = iov;
  return real_sendmsg (fd, &part, flags);
}

static void
write_with_limit (struct nbd_handle *h, const size_t *lengths, int count)
{
  char data[SIZE], got[SIZE];
  struct vector v;
  int64_t cookie;

  for (int i = 0; i < SIZE; ++i)
    data[i] = 'A' + (i + limit) % 50;
  make_vector (&v, lengths, count);
  CHECK (v.length == SIZE);
  put_in_vector (&v, data);
  CHECK (nbd_ext_pwritev (h, v.iov, v.count, 0, 0) == 0);
  cookie = nbd_ext_aio_pwritev (h, v.iov, v.count, 1000, NBD_NULL_COMPLETION,
                                0);
  memset (v.iov, 0xff, sizeof v.iov);
  CHECK (wait_for (h, cookie) == 1);
  for (int i = 0; i < 2; ++i) {
    CHECK (nbd_pread (h, got, SIZE, i * 1000, 0) == 0);
    CHECK (memcmp (got, data, SIZE) == 0);
  }
  free_vector (&v);
}

int
main (void)
{
  static const size_t three[] = { 7, 20, 13 };
  static const size_t empty[] = { 0, 1, 0, 0, 38, 0, 1, 0 };
  struct nbd_handle *h = connected ("--size", "1M");
  size_t single[SIZE];

  for (int i = 0; i < SIZE; ++i)
    single[i] = 1;
  for (size_t i = 1; i < SIZE + 32; ++i) {
    limit = i;
    write_with_limit (h, three, ITEMS (three));
    write_with_limit (h, empty, ITEMS (empty));
    write_with_limit (h, single, ITEMS (single));
  }
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
