/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_close ends commands in flight: their completion callbacks get ENOTCONN,
 * and every closure is freed.
 * Source: libnbd(3), "Completion callbacks" (called exactly once), nbd_close(3).
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED, .contexts = 1 };
  struct record read = { .result = 0 }, status = { .result = 1 };
  struct record write = { .result = -1, .set_error = EDOM };
  char buf[512] = "";

  peer_connect (h, &peer);
  CHECK (nbd_aio_pread_structured (h, buf, 512, 0, CHUNK (&read),
                                   COMPLETION (&read), 0)
         > 0);
  CHECK (nbd_aio_block_status (h, 512, 0, EXTENT (&status),
                               COMPLETION (&status), 0)
         > 0);
  CHECK (nbd_aio_pwrite (h, buf, 512, 0, COMPLETION (&write), 0) > 0);
  nbd_close (h);
  CHECK_RECORD (read, "Cmc");
  CHECK (read.error == ENOTCONN);
  CHECK_RECORD (status, "Cmc");
  CHECK (status.error == ENOTCONN);
  CHECK_RECORD (write, "Cc");
  peer_close (&peer);
  return 0;
}
