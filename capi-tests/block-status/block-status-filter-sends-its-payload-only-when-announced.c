/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A request without the payload flag has no payload, even if the checks that
 * require the flag are off: the server would take the bytes for its next
 * request.  A request with a compact header never has one, with any flags.
 * Source: proto.md, NBD_CMD_FLAG_PAYLOAD_LEN; seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct record record = { .result = 0 };
  char *contexts[] = { LIBNBD_CONTEXT_BASE_ALLOCATION, NULL };
  struct peer peer = { .replies = STRUCTURED, .contexts = 1 };
  struct request request;
  char buf[512];

  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  CHECK (nbd_set_strict_mode (h, 0) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  CHECK (nbd_get_extended_headers_negotiated (h) == 1);
  CHECK (nbd_block_status_filter (h, 4096, 0, contexts, EXTENT64 (&record), 0)
         == 0);
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  CHECK (nbd_block_status_filter (h, 4096, 0, contexts, EXTENT64 (&record),
                                  LIBNBD_CMD_FLAG_PAYLOAD_LEN)
         == 0);
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
  nbd_close (h);

  h = nbd_create ();
  peer_connect (h, &peer);
  CHECK (nbd_set_strict_mode (h, 0) == 0);
  CHECK (nbd_aio_block_status_filter (h, 4096, 0, contexts, EXTENT64 (&record),
                                      NBD_NULL_COMPLETION,
                                      LIBNBD_CMD_FLAG_PAYLOAD_LEN)
         == 1);
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_BLOCK_STATUS);
  CHECK (request.flags == LIBNBD_CMD_FLAG_PAYLOAD_LEN);
  CHECK (request.length == 12);
  CHECK (recv (peer.fd, buf, sizeof buf, MSG_DONTWAIT) == -1);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
