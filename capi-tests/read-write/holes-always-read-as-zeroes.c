/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A hole fills its part of the buffer with zeroes, whether or not the library
 * initializes the buffer before the read.
 *
 * Source: nbd_pread(3), nbd_set_pread_initialize(3); NBD protocol,
 * NBD_REPLY_TYPE_OFFSET_HOLE.
 */
#include "../harness/commands.h"

#define SIZE 65536

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");
  static char buf[SIZE], expected[SIZE];
  char data[512];

  memset (data, 'd', sizeof data);
  memcpy (expected + 4096, data, sizeof data);
  CHECK (nbd_pwrite (h, data, sizeof data, 4096, 0) == 0);
  for (int initialize = 0; initialize < 2; ++initialize) {
    CHECK (nbd_set_pread_initialize (h, initialize) == 0);
    memset (buf, 'x', sizeof buf);
    CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
    CHECK (memcmp (buf, expected, sizeof buf) == 0);
  }
  nbd_close (h);
  return 0;
}
