/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A chunk callback that is called for a read error may replace it by its own
 * errno, which is then that of the command.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/harness.h"

static int errnum;

static int
on_chunk (void *user_data, const void *subbuf, size_t count, uint64_t offset,
          unsigned status, int *error)
{
  (void) subbuf;
  (void) count;
  (void) offset;
  if (status != LIBNBD_READ_ERROR)
    return 0;
  errnum = *error;
  *error = EDOM;
  return *(int *) user_data;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  int replaces = -1, looks = 0;
  char buf[1024];

  connect_handle (h, server_command ("--error", "READ=EOVERFLOW@512"));
  CHECK_ERROR (nbd_pread_structured (h, buf, sizeof buf, 0,
                                     (nbd_chunk_callback) {
                                         .callback = on_chunk,
                                         .user_data = &replaces },
                                     0),
               EDOM);
  CHECK (errnum == EOVERFLOW);
  CHECK_ERROR (nbd_pread_structured (h, buf, sizeof buf, 0,
                                     (nbd_chunk_callback) {
                                         .callback = on_chunk,
                                         .user_data = &looks },
                                     0),
               EOVERFLOW);
  nbd_close (h);
  return 0;
}
