/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call that handles received data detects end of file when it has to receive
 * again: within the first 16 bytes of a reply and after each complete part, but
 * not within a later part.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

/* Sends the first COUNT bytes of a reply, and closes. Returns true if
 * nbd_aio_notify_read detects the end. */
static bool
notices (size_t count)
{
  struct peer peer = { .replies = STRUCTURED };
  struct nbd_handle *h = nbd_create ();
  struct bytes reply = { .count = 0 };
  struct request request;
  static char buffer[512];
  bool dead;

  peer_connect (h, &peer);
  CHECK (nbd_aio_pread (h, buffer, sizeof buffer, 0, NBD_NULL_COMPLETION, 0)
         == 1);
  request = peer_request (&peer, NULL);
  put_chunk_header (&reply, STRUCTURED, &request, true, REPLY_OFFSET_DATA,
                    8 + sizeof buffer);
  put64 (&reply, 0);
  put (&reply, buffer, sizeof buffer);
  reply.count = count;
  peer_bytes (&peer, &reply);
  peer_close (&peer);
  CHECK (nbd_aio_notify_read (h) == 0 || nbd_aio_is_dead (h));
  dead = nbd_aio_is_dead (h);
  nbd_close (h);
  return dead;
}

int
main (void)
{
  CHECK (notices (10));
  CHECK (notices (16));
  CHECK (!notices (17));
  CHECK (!notices (19));
  CHECK (notices (20));
  CHECK (!notices (24));
  CHECK (notices (28));
  CHECK (!notices (100));
  return 0;
}
