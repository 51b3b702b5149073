/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The chunk callback gets every part of the reply: its position in the buffer
 * and on the disk, its kind (data or hole), and no error.  Together the parts
 * cover the request, in any order.
 * Source: nbd_pread_structured(3).
 */
#include "../harness/commands.h"

struct parts {
  const char *buf;
  uint64_t offset;
  size_t data, holes, calls;
};

static int
count_part (void *user_data, const void *subbuf, size_t count, uint64_t offset,
            unsigned status, int *error)
{
  struct parts *parts = user_data;
  const char *bytes = subbuf;

  CHECK (*error == 0);
  CHECK (bytes - parts->buf == (ptrdiff_t) (offset - parts->offset));
  CHECK (status == LIBNBD_READ_DATA || status == LIBNBD_READ_HOLE);
  if (status == LIBNBD_READ_DATA)
    parts->data += count;
  else
    parts->holes += count;
  for (size_t i = 0; status == LIBNBD_READ_HOLE && i < count; ++i)
    CHECK (bytes[i] == 0);
  ++parts->calls;
  return 0;
}

static void
read_all (struct nbd_handle *h, size_t most_calls)
{
  static char buf[64 * 1024];
  struct parts parts = { .buf = buf, .offset = 4096 };

  memset (buf, 'u', sizeof buf);
  CHECK (nbd_pwrite (h, "data", 4, 20000, 0) == 0);
  CHECK (nbd_pread_structured (h, buf, sizeof buf, 4096,
                               (nbd_chunk_callback) { .callback = count_part,
                                                      .user_data = &parts },
                               0)
         == 0);
  CHECK (parts.data + parts.holes == sizeof buf);
  CHECK (parts.data > 0 && parts.holes > 0);
  CHECK (parts.calls >= 3 && parts.calls <= most_calls);
  CHECK (memcmp (buf + 20000 - 4096, "data", 4) == 0);
  nbd_close (h);
}

int
main (void)
{
  read_all (connected ("--size", "1M"), 3);
  read_all (connected ("--size", "1M", "--no-extended-headers"), 3);
  read_all (connected ("--size", "1M", "--reverse-chunks"), 3);
  read_all (connected ("--size", "1M", "--read-chunks", "512"), 200);
  return 0;
}
