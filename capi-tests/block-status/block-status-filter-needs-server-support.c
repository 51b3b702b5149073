/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filtering needs extended headers and a server that announces it. If the
 * library sets the payload flag, the first condition cannot be waived.
 * Source: nbd_block_status_filter(3), nbd_can_block_status_payload(3); the last
 * was seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = EXTENDED,
                       .contexts = 1,
                       .flags = EVERY_FLAG & ~NBD_FLAG_BLOCK_STATUS_PAYLOAD };
  struct record record = { .result = 0 };
  char *contexts[] = { LIBNBD_CONTEXT_BASE_ALLOCATION, NULL };

  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  connect_handle (h, server_command ("--no-extended-headers"));
  CHECK_ERROR (nbd_block_status_filter (h, 512, 0, contexts, EXTENT64 (&record),
                                        0),
               ENOTSUP);
  CHECK_MESSAGE ("server does not support extended headers");
  CHECK_RECORD (record, "m");
  CHECK (nbd_set_strict_mode (h, LIBNBD_STRICT_AUTO_FLAG) == 0);
  CHECK_ERROR (nbd_block_status_filter (h, 512, 0, contexts, EXTENT64 (&record),
                                        0),
               ENOTSUP);
  CHECK_RECORD (record, "mm");
  nbd_close (h);

  h = nbd_create ();
  peer_connect (h, &peer);
  CHECK (nbd_can_block_status_payload (h) == 0);
  CHECK_ERROR (nbd_block_status_filter (h, 512, 0, contexts, EXTENT64 (&record),
                                        0),
               EINVAL);
  CHECK_MESSAGE ("server does not support the block status payload flag");
  CHECK_RECORD (record, "mmm");
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
