/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After a failed read into pieces, they hold the data that arrived. The rest is
 * zeroes with pread_initialize, the default, and unchanged without it. An
 * asynchronous read clears the pieces before it can fail.
 * Source: nbd_ext_preadv(3), nbd_set_pread_initialize(3).
 */
#include "../harness/peer.h"
#include "../harness/vectors.h"

#define COUNT 100
#define DATA 'd'
#define BEFORE 's'

static const size_t lengths[] = { 1, 30, 0, 19, 49, 1 };

static struct peer peer;
static struct vector v;

/* The first command of a connection, so that replies can be sent in advance. */
static struct request first;

static char expected[COUNT];

static void
send_data (size_t at, size_t count)
{
  struct bytes chunk = { .count = 0 };
  char data[COUNT];

  memset (data, DATA, sizeof data);
  put64 (&chunk, at);
  put (&chunk, data, count);
  peer_chunk (&peer, &first, false, REPLY_OFFSET_DATA, &chunk);
  memset (expected + at, DATA, count);
}

static void
send_hole (size_t at, size_t count)
{
  struct bytes chunk = { .count = 0 };

  put64 (&chunk, at);
  put32 (&chunk, count);
  peer_chunk (&peer, &first, false, REPLY_OFFSET_HOLE, &chunk);
  memset (expected + at, 0, count);
}

static struct nbd_handle *
start (enum replies replies, bool initialize)
{
  struct nbd_handle *h = nbd_create ();

  peer = (struct peer) { .replies = replies };
  CHECK (nbd_set_pread_initialize (h, initialize) == 0);
  peer_connect (h, &peer);
  fill_vector (&v, BEFORE);
  memset (expected, initialize ? 0 : BEFORE, COUNT);
  return h;
}

static void
fail_to_read (struct nbd_handle *h, int error)
{
  CHECK_ERROR (nbd_ext_preadv (h, v.iov, v.count, 0, 0), error);
  check_vector (&v, expected);
  nbd_close (h);
  peer_close (&peer);
}

static void
check_synchronous (bool initialize)
{
  struct nbd_handle *h;

  /* Data and holes that begin and end anywhere, before an error. */
  for (size_t at = 0; at < COUNT; at += 3)
    for (size_t count = 1; at + count <= COUNT; count += 7) {
      h = start (STRUCTURED, initialize);
      send_data (at, count);
      if (at > 10)
        send_hole (3, 7);
      peer_error (&peer, &first, true, 5);
      fail_to_read (h, EIO);
    }

  /* The server marks the reply as complete although data is missing. */
  h = start (STRUCTURED, initialize);
  send_data (10, 40);
  peer_chunk (&peer, &first, true, REPLY_NONE, NULL);
  fail_to_read (h, EPROTO);

  /* The connection ends within data. */
  for (size_t count = 0; count < COUNT; ++count) {
    char data[COUNT];

    h = start (SIMPLE, initialize);
    memset (data, DATA, sizeof data);
    peer_simple (&peer, &first, 0);
    peer_write (&peer, data, count);
    memset (expected, DATA, count);
    peer_hang_up (&peer);
    fail_to_read (h, 0);
  }

  /* It ended before. */
  h = start (STRUCTURED, initialize);
  peer_hang_up (&peer);
  CHECK (nbd_poll (h, LONG_ENOUGH) >= 0);
  fail_to_read (h, EINVAL);

  /* The request is refused. */
  h = start (STRUCTURED, initialize);
  CHECK_ERROR (nbd_ext_preadv (h, v.iov, v.count, 0, 1), EINVAL);
  check_vector (&v, expected);
  CHECK_ERROR (nbd_ext_preadv (h, v.iov, v.count, MIB, 0), EINVAL);
  check_vector (&v, expected);
  nbd_close (h);
  peer_close (&peer);
}

static void
check_asynchronous (bool initialize)
{
  struct nbd_handle *h = start (STRUCTURED, initialize);

  CHECK_ERROR (nbd_ext_aio_preadv (h, v.iov, v.count, MIB, NBD_NULL_COMPLETION,
                                   0),
               EINVAL);
  check_vector (&v, expected);
  fill_vector (&v, BEFORE);
  CHECK (nbd_ext_aio_preadv (h, v.iov, v.count, 0, NBD_NULL_COMPLETION, 0)
         == 1);
  check_vector (&v, expected);
  send_data (20, 60);
  send_hole (5, 10);
  peer_error (&peer, &first, true, 5);
  CHECK_ERROR (wait_for (h, 1), EIO);
  check_vector (&v, expected);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  first.cookie = htobe64 (1);
  make_vector (&v, lengths, ITEMS (lengths));
  CHECK (v.length == COUNT);
  for (int initialize = 0; initialize < 2; ++initialize) {
    check_synchronous (initialize);
    check_asynchronous (initialize);
  }
  free_vector (&v);
  return 0;
}
