/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server may split a read into chunks as small as a byte and send them in any
 * order; a duplicate byte still fails the read.
 * Source: proto.md, "NBD_CMD_READ".
 */
#include "../harness/peer.h"

#define COUNT 4096

static struct peer peer;

/* Sends a chunk of `size` bytes that encode their offset. */
static void
send_chunk (struct nbd_handle *h, const struct request *request, size_t at,
            size_t size, bool done)
{
  struct bytes chunk = { .count = 0 };
  char byte;

  put64 (&chunk, at);
  for (size_t i = at; i < at + size; ++i) {
    byte = i / size;
    put (&chunk, &byte, 1);
  }
  peer_chunk (&peer, request, done, REPLY_OFFSET_DATA, &chunk);
  handle_arrivals (h);
}

/* Sends first every other chunk, in either direction, then the remaining ones.
 */
static void
check_order (size_t size, bool backwards)
{
  struct nbd_handle *h = nbd_create ();
  struct request request;
  size_t half = COUNT / size / 2;
  char buf[COUNT];

  peer = (struct peer) { .replies = STRUCTURED };
  peer_connect (h, &peer);
  CHECK (nbd_aio_pread (h, buf, COUNT, 0, NBD_NULL_COMPLETION, 0) == 1);
  request = peer_request (&peer, NULL);
  for (int odd = 1; odd >= 0; --odd)
    for (size_t i = 0; i < half; ++i) {
      size_t n = 2 * (backwards ? half - 1 - i : i) + odd;

      send_chunk (h, &request, n * size, size, !odd && i == half - 1);
    }
  CHECK (wait_for (h, 1) == 1);
  for (size_t i = 0; i < COUNT; ++i)
    CHECK (buf[i] == (char) (i / size));
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  static const size_t sizes[] = { 1, 8, 64, 512 };
  struct nbd_handle *h = nbd_create ();
  struct request request;
  char buf[COUNT];

  for (size_t i = 0; i < ITEMS (sizes); ++i)
    for (int backwards = 0; backwards < 2; ++backwards)
      check_order (sizes[i], backwards);

  peer = (struct peer) { .replies = STRUCTURED };
  peer_connect (h, &peer);
  CHECK (nbd_aio_pread (h, buf, 4, 0, NBD_NULL_COMPLETION, 0) == 1);
  request = peer_request (&peer, NULL);
  send_chunk (h, &request, 3, 1, false);
  send_chunk (h, &request, 0, 1, false);
  send_chunk (h, &request, 3, 1, false);
  send_chunk (h, &request, 1, 1, true);
  CHECK_ERROR (wait_for (h, 1), EPROTO);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
