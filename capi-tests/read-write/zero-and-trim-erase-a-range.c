/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A zeroed range reads as zeroes, with any flags, and its neighbours are
 * unchanged.  On this server, so does a trimmed range of whole pages.
 * Source: nbd_zero(3), nbd_trim(3).
 */
#include "../harness/commands.h"

#define OFFSET (64 * KIB)

static char data[3 * 64 * 1024], got[sizeof data];

static void
check_erased (struct nbd_handle *h, size_t from, size_t to)
{
  CHECK (nbd_pread (h, got, sizeof got, OFFSET, 0) == 0);
  for (size_t i = 0; i < sizeof got; ++i)
    CHECK (got[i] == (i < from || i >= to ? 'd' : 0));
  CHECK (nbd_pwrite (h, data, sizeof data, OFFSET, 0) == 0);
}

int
main (void)
{
  static const uint32_t flags[] = {
    0,
    LIBNBD_CMD_FLAG_FUA,
    LIBNBD_CMD_FLAG_NO_HOLE,
    LIBNBD_CMD_FLAG_FAST_ZERO,
    LIBNBD_CMD_FLAG_FUA | LIBNBD_CMD_FLAG_NO_HOLE | LIBNBD_CMD_FLAG_FAST_ZERO,
  };
  struct nbd_handle *h = connected ("--size", "1M");

  memset (data, 'd', sizeof data);
  CHECK (nbd_pwrite (h, data, sizeof data, OFFSET, 0) == 0);
  for (size_t i = 0; i < ITEMS (flags); ++i) {
    CHECK (nbd_zero (h, 100 * KIB, OFFSET + 1, flags[i]) == 0);
    check_erased (h, 1, 1 + 100 * KIB);
  }
  for (size_t i = 0; i < 2; ++i) {
    CHECK (nbd_trim (h, 64 * KIB, OFFSET + 64 * KIB, flags[i]) == 0);
    check_erased (h, 64 * KIB, 128 * KIB);
  }
  nbd_close (h);
  return 0;
}
