/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If the library or GnuTLS runs out of memory for a TLS connection, connecting
 * or a command fails, and the process continues.  The connection never falls
 * back to plaintext, and returned data is right.
 *
 * Source: malloc(3); nbd_set_tls(3).
 */
#include "../harness/tls.h"
#include "../harness/memory.h"

#define SIZE (256 * 1024)

static unsigned char data[SIZE], back[SIZE];

static void
walk (void)
{
  struct nbd_handle *h = configured ();
  bool connected = connect_to_server (h) == 0, written;

  if (!connected) {
    CHECK (nbd_get_error () != NULL && refused > 0);
    CHECK (nbd_aio_is_ready (h) == 0);
    CHECK (nbd_aio_is_created (h) == 1 || nbd_aio_is_dead (h) == 1);
    nbd_close (h);
    return;
  }
  CHECK (nbd_get_tls_negotiated (h) == 1);
  fill (data, sizeof data, 0, 1);
  written = nbd_pwrite (h, data, sizeof data, 0, 0) == 0;
  CHECK (written || refused > 0);
  if (nbd_pread (h, back, sizeof back, 0, 0) == 0)
    CHECK (!written || memcmp (back, data, sizeof data) == 0);
  else
    CHECK (refused > 0);
  if (nbd_shutdown (h, 0) == -1)
    CHECK (refused > 0);
  nbd_close (h);
}

int
main (void)
{
  run_without_each ("TLS", walk);
  CHECK (failed_runs == 0);
  return 0;
}
