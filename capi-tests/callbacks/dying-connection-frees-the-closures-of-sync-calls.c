/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the connection dies during a synchronous call, its closure is freed once,
 * when the handle is closed at the latest.
 * Source: libnbd(3), "Callback lifetimes".
 */
#include "../harness/commands.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct record *record = calloc (1, sizeof *record);
  char buf[512];

  CHECK (record != NULL);
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  connect_handle (h, server_command ("--bad-magic", "reply"));
  CHECK (nbd_pread_structured (h, buf, sizeof buf, 0, CHUNK (record), 0) == -1);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK_ERROR (nbd_pread_structured (h, buf, sizeof buf, 0, CHUNK (record), 0),
               EINVAL);
  nbd_close (h);
  CHECK_RECORD (*record, "mm");
  memset (record, 0, sizeof *record);

  h = nbd_create ();
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  connect_handle (h, server_command ("--bad-magic", "reply"));
  CHECK (nbd_block_status (h, 512, 0, EXTENT (record), 0) == -1);
  nbd_close (h);
  CHECK_RECORD (*record, "m");
  free (record);
  return 0;
}
