/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting to a vsock port without a listener fails, immediately or later,
 * and never hangs; the errno depends on the kernel.
 *
 * Source: nbd_connect_vsock(3), nbd_aio_connect_vsock(3), nbd_connect_uri(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_connect_vsock (h, 1, 1) == -1);
  CHECK_MESSAGE ("nbd_connect_vsock: ");
  CHECK (nbd_get_errno () != 0);
  CHECK (nbd_aio_is_ready (h) == 0);
  nbd_close (h);

  h = nbd_create ();
  if (nbd_aio_connect_vsock (h, 1, 1) == 0) {
    CHECK_STRING (nbd_get_uri (h), "nbd+vsock://1:1/");
    while (nbd_aio_is_connecting (h))
      if (nbd_poll (h, -1) == -1)
        break;
  }
  CHECK (nbd_get_errno () != 0);
  CHECK (nbd_aio_is_ready (h) == 0);
  nbd_close (h);

  /* Even after a failure, the URI has the address: by default the host and the
   * port of the protocol.  A parameter overrides the port.
   */
  h = nbd_create ();
  (void) nbd_aio_connect_uri (h, "nbd+vsock:///disk");
  CHECK_STRING (nbd_get_uri (h), "nbd+vsock://2:10809/disk");
  nbd_close (h);
  h = nbd_create ();
  (void) nbd_aio_connect_uri (h, "nbd+vsock://3:5/?nbd-port=1024");
  CHECK_STRING (nbd_get_uri (h), "nbd+vsock://3:1024/");
  nbd_close (h);
  return 0;
}
