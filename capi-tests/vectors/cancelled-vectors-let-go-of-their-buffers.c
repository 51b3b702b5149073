/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A write from pieces of which only a part has been sent, or a read into pieces
 * of which only a part has arrived, can be cancelled or time out at any byte.
 * The program may free the pieces then; the server still receives the whole
 * request, and the connection can still be used.
 * Source: nbd_ext_aio_cancel(3), nbd_ext_set_timeout(3).
 */
#include "../harness/peer.h"
#include "../harness/vectors.h"

#include "../harness/real-calls.h"

#define SIZE 24
#define HEADER 28

static const size_t lengths[] = { 3, 0, 9, 1, 11 };

static struct nbd_handle *h;
static struct peer peer;

/* The number of bytes that the socket accepts; -1 for all. */
static ssize_t room = -1;

ssize_t
send (int fd, const void *data, size_t count, int flags)
{
  struct iovec iov = { (void *) data, count };
  struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

  return sendmsg (fd, &message, flags);
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  char bytes[4096];
  size_t count = 0;

  if (room < 0)
    return real_sendmsg (fd, message, flags);
  for (size_t i = 0; i < message->msg_iovlen; ++i) {
    CHECK (count + message->msg_iov[i].iov_len <= sizeof bytes);
    memcpy (bytes + count, message->msg_iov[i].iov_base,
            message->msg_iov[i].iov_len);
    count += message->msg_iov[i].iov_len;
  }
  if (count > (size_t) room)
    count = room;
  if (count == 0) {
    errno = EAGAIN;
    return -1;
  }
  room -= count;
  return real_send (fd, bytes, count, flags);
}

/* Cancels the command, and makes its pieces unusable. */
static void
cancel (struct vector *v, int64_t cookie)
{
  CHECK (nbd_ext_aio_cancel (h, cookie) == 1);
  fill_vector (v, 'x');
  free_vector (v);
  CHECK_ERROR (nbd_aio_command_completed (h, cookie), ECANCELED);
}

static void
give_up_write_after (size_t sent, bool synchronous)
{
  static const char data[] = "abcdefghijklmnopqrstuvwx";
  char got[SIZE];
  struct request request;
  struct vector v;
  int64_t cookie;

  make_vector (&v, lengths, ITEMS (lengths));
  CHECK (v.length == SIZE);
  put_in_vector (&v, data);
  room = sent;
  if (synchronous) {
    CHECK_ERROR (nbd_ext_pwritev (h, v.iov, v.count, 0, 0), ETIMEDOUT);
    fill_vector (&v, 'x');
    free_vector (&v);
  } else {
    cookie = nbd_ext_aio_pwritev (h, v.iov, v.count, 0, NBD_NULL_COMPLETION, 0);
    CHECK (cookie > 0);
    cancel (&v, cookie);
  }
  room = -1;
  handle_arrivals (h);
  if (sent > 0) {
    request = peer_request (&peer, got);
    CHECK (request.type == NBD_CMD_WRITE);
    CHECK (memcmp (got, data, SIZE) == 0);
    peer_success (&peer, &request);
    handle_arrivals (h);
  }
  peer_flush (h, &peer);
}

static void
give_up_read_after (size_t arrived, bool synchronous)
{
  char data[SIZE];
  struct request request = { .cookie = htobe64 (peer_flush (h, &peer) + 1) };
  struct vector v;
  int64_t cookie = -1;

  memset (data, 'd', sizeof data);
  make_vector (&v, lengths, ITEMS (lengths));
  if (!synchronous) {
    cookie = nbd_ext_aio_preadv (h, v.iov, v.count, 0, NBD_NULL_COMPLETION, 0);
    CHECK (cookie > 0);
  }
  peer_simple (&peer, &request, 0);
  peer_write (&peer, data, arrived);
  if (synchronous) {
    CHECK_ERROR (nbd_ext_preadv (h, v.iov, v.count, 0, 0), ETIMEDOUT);
    free_vector (&v);
  } else {
    handle_arrivals (h);
    cancel (&v, cookie);
  }
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_READ);
  peer_write (&peer, data, SIZE - arrived);
  handle_arrivals (h);
  peer_flush (h, &peer);
}

int
main (void)
{
  h = nbd_create ();
  peer = (struct peer) { .replies = SIMPLE };
  peer_connect (h, &peer);
  CHECK (nbd_ext_set_timeout (h, 1) == 0);
  for (int synchronous = 0; synchronous < 2; ++synchronous) {
    for (size_t sent = 0; sent < HEADER + SIZE; ++sent)
      give_up_write_after (sent, synchronous);
    for (size_t arrived = 0; arrived < SIZE; ++arrived)
      give_up_read_after (arrived, synchronous);
  }
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
