/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Handles are independent: each has its own connection, cookies and errors, and
 * a dead one does not affect the others.
 * Source: libnbd(3), "Handles", "Multiple connections".
 */
#include "../harness/commands.h"

#define HANDLES 4

int
main (void)
{
  const char *path = server_start ("--size", "1M");
  struct nbd_handle *handles[HANDLES];
  struct nbd_handle *broken = connected ("--bad-magic", "reply");
  char buf[HANDLES][512], expected[512];
  int64_t cookies[HANDLES];

  for (int i = 0; i < HANDLES; ++i) {
    CHECK ((handles[i] = nbd_create ()) != NULL);
    CHECK (nbd_connect_unix (handles[i], path) == 0);
    CHECK (nbd_can_multi_conn (handles[i]) == 1);
    memset (buf[i], 'a' + i, sizeof buf[i]);
    cookies[i] = nbd_aio_pwrite (handles[i], buf[i], 512, i * 512,
                                 NBD_NULL_COMPLETION, 0);
    CHECK (cookies[i] == 1);
  }
  CHECK (nbd_flush (broken, 0) == -1);
  CHECK (nbd_aio_is_dead (broken) == 1);
  for (int i = HANDLES - 1; i >= 0; --i)
    CHECK (wait_for (handles[i], cookies[i]) == 1);
  for (int i = 0; i < HANDLES; ++i) {
    int other = (i + 1) % HANDLES;

    memset (expected, 'a' + other, sizeof expected);
    CHECK (nbd_pread (handles[i], buf[i], 512, other * 512, 0) == 0);
    CHECK (memcmp (buf[i], expected, 512) == 0);
  }
  nbd_close (broken);
  for (int i = 0; i < HANDLES; ++i)
    nbd_close (handles[i]);
  return 0;
}
