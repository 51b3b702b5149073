/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the server only supports simple replies, the chunk callback is called
 * once, with all of the data.
 * Source: nbd_pread_structured(3) (the callback is called at least once).
 */
#include "../harness/commands.h"

static int
whole (void *user_data, const void *subbuf, size_t count, uint64_t offset,
       unsigned status, int *error)
{
  CHECK (subbuf == user_data);
  CHECK (count == 8192 && offset == 512);
  CHECK (status == LIBNBD_READ_DATA && *error == 0);
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = connected ("--no-structured-replies", "--pattern");
  char buf[8192];
  struct record record = { .result = 0 };

  CHECK (nbd_pread_structured (h, buf, sizeof buf, 512,
                               (nbd_chunk_callback) { .callback = whole,
                                                      .user_data = buf },
                               0)
         == 0);
  CHECK (nbd_pread_structured (h, buf, sizeof buf, 512, CHUNK (&record), 0)
         == 0);
  CHECK_RECORD (record, "Mm");
  nbd_close (h);
  return 0;
}
