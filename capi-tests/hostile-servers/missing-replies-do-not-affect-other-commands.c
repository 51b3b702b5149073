/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If a reply is missing or has an unknown cookie, its command stays in flight;
 * the others are unaffected.
 * Source: proto.md, "Ordering of messages and writes"; unknown
 * cookies of structured replies are skipped by libnbd 1.24.4.
 */
#include "../harness/commands.h"

static void
lose (char *fault, char *option)
{
  struct nbd_handle *h = connected ("--size", "1M", "--pattern", "--fault",
                                    fault, option);
  struct record record = { .result = 0 };
  uint64_t words[64];
  int64_t cookie = nbd_aio_flush (h, COMPLETION (&record), 0);

  CHECK (cookie > 0);
  CHECK (nbd_pread (h, words, sizeof words, 1024, 0) == 0);
  for (size_t i = 0; i < ITEMS (words); ++i)
    CHECK (be64toh (words[i]) == 1024 + 8 * i);
  CHECK (nbd_flush (h, 0) == 0);
  CHECK (nbd_aio_in_flight (h) == 1);
  CHECK (nbd_aio_command_completed (h, cookie) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK_RECORD (record, "C");
  CHECK (record.error == ENOTCONN);
  CHECK_ERROR (nbd_aio_command_completed (h, cookie), ENOTCONN);
  nbd_close (h);
}

int
main (void)
{
  lose ("reply-never:1", "--newstyle-fixed");
  lose ("reply-never:1", "--no-extended-headers");
  lose ("reply-never:1", "--no-structured-replies");
  lose ("reply-cookie:1", "--newstyle-fixed");
  lose ("reply-cookie:1", "--no-extended-headers");
  return 0;
}
