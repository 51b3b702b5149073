/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Errors of the protocol become the errno of the same name, any other number
 * EINVAL, an error of 0 EPROTO; only the command fails.
 * Source: proto.md, "Error values".
 */
#include "../harness/peer.h"

static const struct {
  uint32_t wire;
  int expected;
} errors[] = {
  { 1, EPERM },   { 5, EIO },        { 12, ENOMEM },   { 22, EINVAL },
  { 28, ENOSPC }, { 75, EOVERFLOW }, { 95, ENOTSUP },  { 108, ESHUTDOWN },
  { 2, EINVAL },  { 111, EINVAL },   { 1000, EINVAL }, { UINT32_MAX, EINVAL },
};

static void
fail_with (struct nbd_handle *h, struct peer *peer, uint32_t wire, int expected)
{
  struct request request;
  int64_t cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);

  CHECK (cookie > 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (peer, NULL);
  if (peer->replies == SIMPLE)
    peer_simple (peer, &request, wire);
  else
    peer_error (peer, &request, true, wire);
  CHECK_ERROR (wait_for (h, cookie), expected);
  CHECK_MESSAGE ("nbd_aio_command_completed: flush: command failed: ");
  CHECK (nbd_aio_is_ready (h) == 1);
}

int
main (void)
{
  static const enum replies kinds[] = { SIMPLE, STRUCTURED, EXTENDED };

  for (size_t i = 0; i < ITEMS (kinds); ++i) {
    struct nbd_handle *h = nbd_create ();
    struct peer peer = { .replies = kinds[i] };

    peer_connect (h, &peer);
    for (size_t j = 0; j < ITEMS (errors); ++j)
      fail_with (h, &peer, errors[j].wire, errors[j].expected);
    if (kinds[i] != SIMPLE)
      fail_with (h, &peer, 0, EPROTO);
    nbd_close (h);
    peer_close (&peer);
  }
  return 0;
}
