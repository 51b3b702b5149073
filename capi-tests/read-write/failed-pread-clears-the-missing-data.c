/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* After a failed read, the buffer holds the data that arrived. The rest is
 * zeroes with pread_initialize, the default, and unchanged without it.
 * Source: nbd_set_pread_initialize(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

#define COUNT 4096
#define DATA 'd'
#define BEFORE 's'

static struct peer peer;

/* The first command of a connection, so that replies can be sent in advance. */
static struct request first;

static char buf[COUNT], expected[COUNT];

static void
expect (size_t at, size_t count, char byte)
{
  memset (expected + at, byte, count);
}

/* Sends a chunk of data without its last MISSING bytes. */
static void
send_data (size_t at, size_t count, size_t missing)
{
  struct bytes chunk = { .count = 0 };
  char data[COUNT];

  memset (data, DATA, sizeof data);
  put_chunk_header (&chunk, STRUCTURED, &first, false, REPLY_OFFSET_DATA,
                    8 + count);
  put64 (&chunk, at);
  put (&chunk, data, count - missing);
  peer_bytes (&peer, &chunk);
  expect (at, count - missing, DATA);
}

static void
send_hole (size_t at, size_t count)
{
  struct bytes chunk = { .count = 0 };

  put64 (&chunk, at);
  put32 (&chunk, count);
  peer_chunk (&peer, &first, false, REPLY_OFFSET_HOLE, &chunk);
  expect (at, count, 0);
}

static struct nbd_handle *
start (enum replies replies, bool initialize)
{
  struct nbd_handle *h = nbd_create ();

  peer = (struct peer) { .replies = replies };
  CHECK (nbd_set_pread_initialize (h, initialize) == 0);
  peer_connect (h, &peer);
  memset (buf, BEFORE, sizeof buf);
  expect (0, COUNT, initialize ? 0 : BEFORE);
  return h;
}

static void
fail_to_read (struct nbd_handle *h, int errno_expected)
{
  CHECK_ERROR (nbd_pread (h, buf, COUNT, 0, 0), errno_expected);
  CHECK (memcmp (buf, expected, COUNT) == 0);
  nbd_close (h);
  peer_close (&peer);
}

static void
check_all (bool initialize)
{
  struct nbd_handle *h = start (STRUCTURED, initialize);

  /* An error is the whole reply, or follows data in any order. */
  peer_error (&peer, &first, true, 5);
  fail_to_read (h, EIO);

  h = start (STRUCTURED, initialize);
  send_data (300, 100, 0);
  send_data (100, 100, 0);
  send_hole (500, 100);
  send_data (COUNT - 1, 1, 0);
  peer_error (&peer, &first, true, 5);
  fail_to_read (h, EIO);

  h = start (STRUCTURED, initialize);
  send_data (0, 1000, 0);
  send_hole (1000, 1000);
  peer_error (&peer, &first, true, 5);
  fail_to_read (h, EIO);

  /* The server marks the reply as complete although data is missing. */
  h = start (STRUCTURED, initialize);
  send_data (64, 128, 0);
  peer_chunk (&peer, &first, true, REPLY_NONE, NULL);
  fail_to_read (h, EPROTO);

  /* The connection ends within data. */
  h = start (STRUCTURED, initialize);
  send_data (0, 100, 0);
  send_data (2000, 1000, 10);
  peer_hang_up (&peer);
  fail_to_read (h, 0);

  h = start (SIMPLE, initialize);
  peer_simple (&peer, &first, 0);
  peer_write (&peer, "ddd", 3);
  expect (0, 3, DATA);
  peer_hang_up (&peer);
  fail_to_read (h, 0);

  /* It ended before. */
  h = start (STRUCTURED, initialize);
  peer_hang_up (&peer);
  CHECK (nbd_poll (h, LONG_ENOUGH) >= 0);
  fail_to_read (h, EINVAL);
}

int
main (void)
{
  first.cookie = htobe64 (1);
  check_all (true);
  check_all (false);
  return 0;
}
