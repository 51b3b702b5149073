/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads may begin and end at any byte and return the server's data.
 * Source: nbd_pread(3).
 */
#include "../harness/commands.h"

/* Returns the pattern byte: with --pattern each 8 bytes hold their own offset.
 */
static unsigned char
expected_byte (uint64_t offset)
{
  return (offset & ~UINT64_C (7)) >> (8 * (7 - offset % 8));
}

int
main (void)
{
  static const struct {
    uint64_t offset;
    size_t count;
  } ranges[] = {
    { 0, 1 },       { 0, 512 },         { 1, 2 },
    { 7, 9 },       { 4095, 4098 },     { 65536, 65536 },
    { MIB - 1, 1 }, { MIB - 511, 511 }, { 0, MIB },
  };
  struct nbd_handle *h = connected ("--size", "1M", "--pattern");
  static unsigned char buf[MIB];

  for (size_t i = 0; i < ITEMS (ranges); ++i) {
    CHECK (nbd_pread (h, buf, ranges[i].count, ranges[i].offset, 0) == 0);
    for (size_t j = 0; j < ranges[i].count; ++j)
      CHECK (buf[j] == expected_byte (ranges[i].offset + j));
  }
  nbd_close (h);
  return 0;
}
