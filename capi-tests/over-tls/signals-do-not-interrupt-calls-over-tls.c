/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting with TLS and moving data in both directions work while a timer
 * without SA_RESTART interrupts blocking calls.
 * Source: signal(7) "Interruption of system calls".
 */
#include "../harness/tls.h"
#include "../harness/signals.h"

#define COUNT (4 * 1024 * 1024)

static unsigned char written[COUNT], back[COUNT];

int
main (void)
{
  bool slow = getenv ("TEST_UNDER_VALGRIND");
  int rounds = slow ? 1 : 5;

  fill (written, sizeof written, 0, 3);
  interrupt_every (slow ? 3000 : 1000);
  for (int i = 0; i < rounds || signals < 10; ++i) {
    struct nbd_handle *h = configured ();

    CHECK (connect_to_server (h) == 0);
    CHECK (nbd_get_tls_negotiated (h) == 1);
    CHECK (nbd_pwrite (h, written, sizeof written, 0, 0) == 0);
    CHECK (nbd_flush (h, 0) == 0);
    CHECK (nbd_pread (h, back, sizeof back, 0, 0) == 0);
    CHECK (memcmp (written, back, sizeof back) == 0);
    CHECK (wait_for (h, nbd_aio_flush (h, NBD_NULL_COMPLETION, 0)) == 1);
    CHECK (nbd_poll (h, 5) == 0);
    CHECK (nbd_shutdown (h, 0) == 0);
    nbd_close (h);
  }
  interrupt_every (0);
  return 0;
}
