/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A large write from pieces leaves in one system call, from where the pieces
 * are, and a large read is received into the pieces, except for about the first
 * kilobyte of each reply.
 * Source: nbd_ext_preadv(3), nbd_ext_pwritev(3).
 */
#include "../harness/vectors.h"

#include "../harness/real-calls.h"

#define PIECES 100
#define LENGTH (40 * 1024)

static struct vector v;
static struct nbd_handle *h;
static bool sent;                        /* since the last check */
static size_t sent_elsewhere, elsewhere; /* bytes outside of the pieces */

static bool
is_in_vector (const struct iovec *iov)
{
  const unsigned char *start = iov->iov_base;

  return start >= v.memory && start + iov->iov_len <= v.memory + v.size;
}

ssize_t
send (int fd, const void *data, size_t count, int flags)
{
  if (!is_in_vector (&(struct iovec) { (void *) data, count }))
    sent_elsewhere += count;
  return real_send (fd, data, count, flags);
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  for (size_t i = 0; i < message->msg_iovlen; ++i)
    if (!is_in_vector (&message->msg_iov[i]))
      sent_elsewhere += message->msg_iov[i].iov_len;
  if (!sent) {
    /* The header, then all pieces as they are. */
    CHECK (message->msg_iovlen == 1 + PIECES);
    CHECK (message->msg_iov[0].iov_len <= 32);
    CHECK (memcmp (message->msg_iov + 1, v.iov, PIECES * sizeof v.iov[0]) == 0);
    sent = true;
  }
  return real_sendmsg (fd, message, flags);
}

static ssize_t
count_received (const struct iovec *iov, size_t count, ssize_t received)
{
  size_t left = received > 0 ? received : 0, n;

  for (size_t i = 0; i < count; ++i) {
    n = iov[i].iov_len < left ? iov[i].iov_len : left;
    if (!is_in_vector (&iov[i]))
      elsewhere += n;
    left -= n;
  }
  return received;
}

ssize_t
recv (int fd, void *data, size_t count, int flags)
{
  struct iovec iov = { data, count };

  return count_received (&iov, 1, real_recv (fd, data, count, flags));
}

ssize_t
recvmsg (int fd, struct msghdr *message, int flags)
{
  ssize_t received = real_recvmsg (fd, message, flags);

  return count_received (message->msg_iov, message->msg_iovlen, received);
}

static void
write_data (const char *data, bool synchronous)
{
  put_in_vector (&v, data);
  sent = false;
  sent_elsewhere = 0;
  write_vector (h, &v, 4096, synchronous);
  CHECK (sent);
  CHECK (sent_elsewhere <= 32);
}

static void
read_data (const char *data, bool synchronous)
{
  fill_vector (&v, 0);
  elsewhere = 0;
  read_vector (h, &v, 4096, synchronous);
  check_vector (&v, data);
}

static void
check_transfers (bool synchronous)
{
  size_t size = PIECES * LENGTH;
  char *data = malloc (size);

  CHECK (data != NULL);
  for (size_t i = 0; i < size; ++i)
    data[i] = i % 251 + 1;
  make_even_vector (&v, LENGTH, PIECES);
  write_data (data, synchronous);
  /* The library learns from the first reply that replies are large. */
  read_data (data, synchronous);
  for (int i = 0; i < 5; ++i) {
    read_data (data, synchronous);
    CHECK (elsewhere < 4096);
  }
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  free_vector (&v);
  free (data);
}

int
main (void)
{
  for (int synchronous = 0; synchronous < 2; ++synchronous) {
    h = connected ("--size", "8M");
    check_transfers (synchronous);
    h = connected ("--size", "8M", "--no-structured-replies");
    check_transfers (synchronous);
  }
  return 0;
}
