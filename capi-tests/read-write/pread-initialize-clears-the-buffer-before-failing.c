/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With pread_initialize, the default, no old data is left in the buffer of a
 * failed read; without it the library leaves the buffer alone.
 * Source: nbd_set_pread_initialize(3).
 */
#include "../harness/commands.h"

static char buf[4096];

static void
check_filled_with (char expected)
{
  for (size_t i = 0; i < sizeof buf; ++i)
    CHECK (buf[i] == expected);
  memset (buf, 's', sizeof buf);
}

static void
fail_to_read (bool initialize)
{
  struct nbd_handle *h = nbd_create ();
  char left = initialize ? 0 : 's';
  struct record record = { .result = 0 };

  CHECK (nbd_get_pread_initialize (h) == 1);
  CHECK (nbd_set_pread_initialize (h, initialize) == 0);
  CHECK (nbd_get_pread_initialize (h) == initialize);
  connect_handle (h, server_command ("--size", "1M", "--error", "READ=EIO"));
  memset (buf, 's', sizeof buf);
  CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 0, 1), EINVAL);
  check_filled_with (left);
  CHECK_ERROR (nbd_pread (h, buf, sizeof buf, MIB, 0), EINVAL);
  check_filled_with (left);
  CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 0, 0), EIO);
  check_filled_with (left);
  CHECK_ERROR (nbd_pread_structured (h, buf, sizeof buf, 0, CHUNK (&record), 0),
               EIO);
  check_filled_with (left);
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, NBD_NULL_COMPLETION, 0) > 0);
  check_filled_with (left);
  nbd_close (h);
}

int
main (void)
{
  fail_to_read (true);
  fail_to_read (false);
  return 0;
}
