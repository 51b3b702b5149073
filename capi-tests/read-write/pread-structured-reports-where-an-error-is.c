/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An error with an offset reaches the chunk callback as READ_ERROR with that
 * offset, no bytes, and the errno; then the read fails with it.
 * Source: nbd_pread_structured(3).
 */
#include "../harness/commands.h"

static int
see_error (void *user_data, const void *subbuf, size_t count, uint64_t offset,
           unsigned status, int *error)
{
  (void) subbuf;
  if (status == LIBNBD_READ_ERROR) {
    CHECK (count == 0);
    CHECK (offset == 8192);
    CHECK (*error == EIO);
    ++*(int *) user_data;
  }
  return 0;
}

static void
fail_to_read (struct nbd_handle *h)
{
  char buf[8192];
  int errors = 0;

  CHECK_ERROR (nbd_pread_structured (h, buf, sizeof buf, 4096,
                                     (nbd_chunk_callback) {
                                         .callback = see_error,
                                         .user_data = &errors },
                                     0),
               EIO);
  CHECK_EXACT_MESSAGE (with_reason ("nbd_pread_structured: read: command "
                                    "failed",
                                    EIO));
  CHECK (errors == 1);
  CHECK (nbd_pread (h, buf, 4096, 4096, 0) == 0);
  nbd_close (h);
}

int
main (void)
{
  fail_to_read (connected ("--error", "READ=EIO@8192"));
  fail_to_read (connected ("--error", "READ=EIO@8192",
                           "--no-extended-headers"));
  return 0;
}
