/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The counters include the handshake: every byte of it, each option as a chunk
 * sent and the greeting as a chunk received.
 * Source: libnbd(3), "Statistics"; chunk counts seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };

  peer_connect (h, &peer);
  /* Flags 4; STRUCTURED_REPLY 16; GO 16, name length 4, count 2, one item 2. */
  CHECK (nbd_stats_bytes_sent (h) == 4 + 16 + 24);
  CHECK (nbd_stats_chunks_sent (h) == 2);
  /* Greeting 18; ACK 20; INFO_EXPORT 20 + 12; ACK 20. */
  CHECK (nbd_stats_bytes_received (h) == 18 + 20 + 32 + 20);
  CHECK (nbd_stats_chunks_received (h) == 1);
  nbd_close (h);
  peer_close (&peer);

  h = connected ("--oldstyle", "--size", "1M");
  CHECK (nbd_stats_bytes_sent (h) == 0);
  CHECK (nbd_stats_chunks_sent (h) == 0);
  CHECK (nbd_stats_bytes_received (h) == 152);
  CHECK (nbd_stats_chunks_received (h) == 1);
  nbd_close (h);
  return 0;
}
