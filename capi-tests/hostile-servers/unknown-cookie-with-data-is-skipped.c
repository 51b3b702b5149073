/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A reply chunk with data for an unknown cookie is skipped completely, by the
 * length in its header. Stricter than libnbd 1.24.4, which takes the data for
 * the next reply.
 * Source: proto.md, "Structured reply chunk message".
 */
#include "../harness/commands.h"

static void
skip (char *option)
{
  struct nbd_handle *h = connected ("--size", "1M", "--pattern", "--fault",
                                    "reply-cookie:1", option);
  uint64_t lost[64], words[64];

  CHECK (nbd_aio_pread (h, lost, sizeof lost, 512, NBD_NULL_COMPLETION, 0)
         == 1);
  CHECK (nbd_pread (h, words, sizeof words, 1024, 0) == 0);
  for (size_t i = 0; i < ITEMS (words); ++i)
    CHECK (be64toh (words[i]) == 1024 + 8 * i);
  CHECK (nbd_aio_in_flight (h) == 1);
  CHECK (nbd_aio_command_completed (h, 1) == 0);
  nbd_close (h);
}

int
main (void)
{
  skip ("--newstyle-fixed");
  skip ("--no-extended-headers");
  return 0;
}
