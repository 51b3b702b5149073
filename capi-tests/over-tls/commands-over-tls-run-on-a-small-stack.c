/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Commands on a handle connected with TLS need no more stack than the smallest
 * thread has.
 */
#include "../harness/tls.h"
#include "../harness/stack.h"

int
main (void)
{
  struct nbd_handle *h = configured ();

  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  use_small_stack (h);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
