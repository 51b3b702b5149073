/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An extended reply with another offset than the request fails the read with
 * EPROTO; its payload is skipped and the connection continues. Stricter than
 * libnbd 1.24.4, which takes the payload for the next reply.
 * Source: proto.md, "Extended reply chunk message".
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M", "--pattern", "--fault",
                                    "reply-offset:1");
  uint64_t words[64];

  CHECK_ERROR (nbd_pread (h, words, sizeof words, 512, 0), EPROTO);
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_pread (h, words, sizeof words, 512, 0) == 0);
  CHECK (be64toh (words[0]) == 512);
  nbd_close (h);
  return 0;
}
