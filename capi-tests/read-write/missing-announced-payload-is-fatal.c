/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With strict mode off, a block status request may announce a payload that it
 * does not have.  The server would wait for it, so the connection ends at once.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

/* Without extended headers the flag announces nothing. */
static void
go_on (enum replies replies)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = replies, .contexts = 1 };
  struct record record = { .error = 0 };

  CHECK (nbd_set_strict_mode (h, 0) == 0);
  peer_connect (h, &peer);
  CHECK (nbd_aio_block_status (h, 512, 0, EXTENT (&record),
                               COMPLETION (&record),
                               LIBNBD_CMD_FLAG_PAYLOAD_LEN)
         == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (peer_request (&peer, NULL).length == 512);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct record record = { .error = 0 };

  CHECK (nbd_set_strict_mode (h, 0) == 0);
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  CHECK (nbd_get_extended_headers_negotiated (h) == 1);
  CHECK (nbd_aio_block_status (h, 512, 0, EXTENT (&record),
                               COMPLETION (&record),
                               LIBNBD_CMD_FLAG_PAYLOAD_LEN)
         == 1);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (record.error == ENOTCONN);
  nbd_close (h);
  go_on (SIMPLE);
  go_on (STRUCTURED);
  return 0;
}
