/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The handshake, data and the disconnect succeed even if system calls move
 * single bytes, are interrupted, or find nothing.
 *
 * Source: recv(2), send(2), poll(2), "RETURN VALUE" and "ERRORS".
 */
#include "../harness/tls.h"
#include "../harness/system-calls.h"

int
main (void)
{
  static const struct {
    size_t most;
    unsigned interrupted, not_ready;
  } variants[] = { { 1, 0, 0 }, { 1, 2, 3 }, { 0, 2, 0 },
                   { 0, 0, 2 }, { 5, 3, 2 }, { 1000, 5, 7 } };

  for (size_t i = 0; i < ITEMS (variants); ++i) {
    struct nbd_handle *h = configured ();
    unsigned char data[3000];

    system_calls.most = variants[i].most;
    system_calls.interrupted = variants[i].interrupted;
    system_calls.not_ready = variants[i].not_ready;
    system_calls.faults = 0;
    CHECK (connect_to_server (h) == 0);
    CHECK (nbd_get_tls_negotiated (h) == 1);
    fill (data, sizeof data, 0, i);
    CHECK (nbd_pwrite (h, data, sizeof data, 0, 0) == 0);
    memset (data, 0, sizeof data);
    CHECK (nbd_pread (h, data, sizeof data, 0, 0) == 0);
    CHECK (is_filled (data, sizeof data, 0, i));
    CHECK (nbd_shutdown (h, 0) == 0);
    nbd_close (h);
    CHECK (system_calls.faults > 0 || i == 0);
  }
  return 0;
}
