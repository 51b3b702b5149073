/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_get_uri names the AF_VSOCK address given to nbd_aio_connect, even if
 * connecting fails: many systems have no such sockets.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/harness.h"

#include <linux/vm_sockets.h>

int
main (void)
{
  struct sockaddr_vm address = {
    .svm_family = AF_VSOCK,
    .svm_cid = 5,
    .svm_port = 77,
  };
  struct nbd_handle *h = nbd_create ();

  CHECK (h != NULL);
  nbd_aio_connect (h, (struct sockaddr *) &address, sizeof address);
  CHECK_STRING (nbd_get_uri (h), "nbd+vsock://5:77/");
  nbd_close (h);
  return 0;
}
