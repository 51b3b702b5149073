/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the server refuses a command, the message names the command and the errno
 * is that of the server; the connection continues.
 * Source: libnbd(3), "Error handling"; texts of libnbd 1.24.4.
 */
#include "../harness/commands.h"

#define FAIL(error_option, call, name) \
  do { \
    h = nbd_create (); \
    CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0); \
    connect_handle (h, server_command ("--error", error_option)); \
    CHECK_ERROR (call, EIO); \
    CHECK_MESSAGE (with_reason (": " name ": command failed", EIO)); \
    CHECK_RECORD (record, ""); \
    CHECK (nbd_aio_is_ready (h) == 1); \
    CHECK (nbd_shutdown (h, 0) == 0); \
    nbd_close (h); \
  } while (0)

int
main (void)
{
  struct nbd_handle *h;
  struct record record = { .result = 0 };
  nbd_extent_callback extent = EXTENT (&record);
  char buf[512] = "";

  extent.free = NULL;
  FAIL ("READ=EIO", nbd_pread (h, buf, 512, 0, 0), "read");
  FAIL ("WRITE=EIO", nbd_pwrite (h, buf, 512, 0, 0), "write");
  FAIL ("FLUSH=EIO", nbd_flush (h, 0), "flush");
  FAIL ("TRIM=EIO", nbd_trim (h, 512, 0, 0), "trim");
  FAIL ("CACHE=EIO", nbd_cache (h, 512, 0, 0), "cache");
  FAIL ("WRITE_ZEROES=EIO", nbd_zero (h, 512, 0, 0), "write-zeroes");
  FAIL ("BLOCK_STATUS=EIO", nbd_block_status (h, 512, 0, extent, 0),
        "block-status");
  return 0;
}
