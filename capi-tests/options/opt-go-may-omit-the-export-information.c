/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NBD_OPT_GO and NBD_OPT_INFO acknowledged without NBD_INFO_EXPORT succeed.
 * Size and flags are then unknown, and with strict mode off commands can be
 * sent.
 * Source: nbd_opt_go(3), nbd_set_strict_mode(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

static void
check_unknown (struct nbd_handle *h)
{
  CHECK_ERROR (nbd_get_size (h), EINVAL);
  CHECK_ERROR (nbd_is_read_only (h), EINVAL);
  CHECK_ERROR (nbd_get_block_size (h, LIBNBD_SIZE_MAXIMUM), EINVAL);
}

int
main (void)
{
  struct script s = script_begin (GREETING_FIXED, true);
  char byte = 0;

  put_ack (&s.says, OPT_INFO);
  put_ack (&s.says, OPT_GO);
  CHECK (script_connect (&s) == 0);
  CHECK (nbd_opt_info (s.h) == 0);
  check_unknown (s.h);
  CHECK (nbd_opt_go (s.h) == 0);
  CHECK (nbd_aio_is_ready (s.h) == 1);
  check_unknown (s.h);
  CHECK_ERROR (nbd_pread (s.h, &byte, 1, 0, 0), EINVAL);
  CHECK_ERROR (nbd_pwrite (s.h, &byte, 1, 0, 0), ENOSPC);
  CHECK_ERROR (nbd_flush (s.h, 0), EINVAL);

  CHECK (nbd_set_strict_mode (s.h, 0) == 0);
  CHECK (nbd_aio_pread (s.h, &byte, 1, 0, NBD_NULL_COMPLETION, 0) > 0);
  script_end (&s);
  return 0;
}
