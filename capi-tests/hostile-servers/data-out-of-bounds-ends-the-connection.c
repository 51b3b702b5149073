/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Data or a hole outside of the read's range ends the connection, and every
 * command in flight fails with ENOTCONN.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

static void
answer (unsigned type, uint64_t at, const char *data, uint32_t length)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };
  struct record record = { .error = 0 };
  struct bytes payload = { .count = 0 };
  struct request request;
  char buf[512], other[512];

  peer_connect (h, &peer);
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 4096, COMPLETION (&record), 0)
         == 1);
  request = peer_request (&peer, NULL);
  CHECK (nbd_aio_pread (h, other, sizeof other, 0, NBD_NULL_COMPLETION, 0)
         == 2);
  put64 (&payload, at);
  if (data)
    put (&payload, data, length);
  else
    put32 (&payload, length);
  peer_chunk (&peer, &request, false, type, &payload);
  CHECK_ERROR (nbd_poll (h, LONG_ENOUGH), 0);
  CHECK_MESSAGE ("nbd_poll: range of structured reply is out of bounds, ");
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (record.error == ENOTCONN);
  CHECK_ERROR (nbd_aio_command_completed (h, 2), ENOTCONN);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  static const char data[1024];

  answer (REPLY_OFFSET_DATA, 4096, data, 1024);
  answer (REPLY_OFFSET_DATA, 4095, data, 512);
  answer (REPLY_OFFSET_DATA, 8192, data, 512);
  answer (REPLY_OFFSET_HOLE, 4097, NULL, 512);
  answer (REPLY_OFFSET_HOLE, 0, NULL, 512);
  return 0;
}
