/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, reads into pieces and writes from pieces stay queued like other
 * requests, and are then sent in their order.
 * Source: nbd_ext_set_batching(3), nbd_ext_aio_pwritev(3).
 */
#include "../harness/peer.h"
#include "../harness/vectors.h"

#define WRITES 5

static const size_t lengths[] = { 100, 0, 1, 411 };

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };
  struct vector v[WRITES], into;
  struct request requests[WRITES + 1];
  struct bytes reply = { .count = 0 };
  char data[512], got[512];

  peer_connect (h, &peer);
  CHECK (nbd_ext_set_batching (h, true) == 0);
  for (int i = 0; i < WRITES; ++i) {
    make_vector (&v[i], lengths, ITEMS (lengths));
    CHECK (v[i].length == sizeof data);
    memset (data, 'a' + i, sizeof data);
    put_in_vector (&v[i], data);
    CHECK (nbd_ext_aio_pwritev (h, v[i].iov, v[i].count, i * 512,
                                NBD_NULL_COMPLETION, 0)
           == i + 1);
    /* The array has been copied. */
    memset (v[i].iov, 0, sizeof v[i].iov);
  }
  make_vector (&into, lengths, ITEMS (lengths));
  CHECK (nbd_ext_aio_preadv (h, into.iov, into.count, 0, NBD_NULL_COMPLETION, 0)
         == WRITES + 1);
  CHECK (recv (peer.fd, got, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);

  CHECK (nbd_ext_send (h) == 0);
  for (int i = 0; i < WRITES; ++i) {
    requests[i] = peer_request (&peer, got);
    CHECK (requests[i].type == NBD_CMD_WRITE);
    CHECK (requests[i].offset == (uint64_t) i * 512);
    memset (data, 'a' + i, sizeof data);
    CHECK (memcmp (got, data, sizeof data) == 0);
  }
  requests[WRITES] = peer_request (&peer, NULL);
  CHECK (requests[WRITES].type == NBD_CMD_READ);
  put64 (&reply, 0);
  put (&reply, data, sizeof data);
  peer_chunk (&peer, &requests[WRITES], true, REPLY_OFFSET_DATA, &reply);
  for (int i = 0; i < WRITES; ++i)
    peer_success (&peer, &requests[i]);
  wait_for_all (h);
  check_vector (&into, data);
  for (int64_t cookie = 1; cookie <= WRITES + 1; ++cookie)
    CHECK (nbd_aio_command_completed (h, cookie) == 1);
  nbd_close (h);
  peer_close (&peer);
  for (int i = 0; i < WRITES; ++i)
    free_vector (&v[i]);
  free_vector (&into);
  return 0;
}
