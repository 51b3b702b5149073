/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_ext_aio_cancel completes each kind of command with ECANCELED: its
 * completion callback is called once, all closures are freed before the
 * function returns, and the command is retired as usual.  The late reply is
 * ignored, and no callback is called for it.
 * Source: nbd_ext_aio_cancel(3); libnbd(3), "Callback lifetimes".
 */
#include "../harness/peer.h"

#include <libnbd-ext.h>

static struct peer peer;
static struct nbd_handle *h;
static char data[512];

static int64_t
issue (int kind, struct record *record)
{
  nbd_completion_callback completion = COMPLETION (record);
  char *contexts[] = { LIBNBD_CONTEXT_BASE_ALLOCATION, NULL };

  switch (kind) {
  case 0:
    return nbd_aio_pread (h, data, 512, 0, completion, 0);
  case 1:
    return nbd_aio_pwrite (h, data, 512, 0, completion, 0);
  case 2:
    return nbd_aio_flush (h, completion, 0);
  case 3:
    return nbd_aio_trim (h, 512, 0, completion, 0);
  case 4:
    return nbd_aio_cache (h, 512, 0, completion, 0);
  case 5:
    return nbd_aio_zero (h, 512, 0, completion, 0);
  case 6:
    return nbd_aio_pread_structured (h, data, 512, 0, CHUNK (record),
                                     completion, 0);
  case 7:
    return nbd_aio_block_status (h, 512, 0, EXTENT (record), completion, 0);
  case 8:
    return nbd_aio_block_status_64 (h, 512, 0, EXTENT64 (record), completion,
                                    0);
  case 9:
    return nbd_aio_block_status_filter (h, 512, 0, contexts, EXTENT64 (record),
                                        completion, 0);
  default:
    return -1;
  }
}

/* The server replies with data and an error, or extents. */
static void
answer (int kind, const struct request *request)
{
  struct bytes payload = { .count = 0 };

  switch (kind) {
  case 0:
  case 6:
    put64 (&payload, 0);
    put (&payload, data, 512);
    peer_chunk (&peer, request, false, REPLY_OFFSET_DATA, &payload);
    peer_error (&peer, request, true, EIO);
    break;
  case 7:
  case 8:
  case 9:
    put32 (&payload, 1);
    put32 (&payload, 1);
    put64 (&payload, 512);
    put64 (&payload, 0);
    peer_chunk (&peer, request, true, REPLY_BLOCK_STATUS_EXT, &payload);
    break;
  case 1:
    peer_error (&peer, request, true, EIO);
    break;
  default:
    peer_success (&peer, request);
  }
}

/* The completion callback returns `result`, and sets *error unless that is 0.
 */
static void
cancel_one (int kind, int result, int error)
{
  bool has_middle = kind >= 6;
  struct record record = { .result = result, .set_error = error };
  int64_t cookie = issue (kind, &record);
  struct request request;
  char payload[512];

  CHECK (cookie > 0);
  request = peer_request (&peer, NULL);
  if (request.flags & NBD_CMD_FLAG_PAYLOAD_LEN)
    peer_read (&peer, payload, request.length);
  CHECK (nbd_aio_in_flight (h) == 1);
  CHECK (nbd_ext_aio_cancel (h, cookie) == 1);
  CHECK_RECORD (record, has_middle ? "Cmc" : "Cc");
  CHECK (record.error == ECANCELED);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK (nbd_ext_aio_cancel (h, cookie) == 0);
  if (result == 1) {
    CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
    CHECK (nbd_aio_command_completed (h, cookie) == 0);
  } else {
    CHECK (nbd_aio_peek_command_completed (h) == cookie);
    CHECK_ERROR (nbd_aio_command_completed (h, cookie),
                 result == -1 && error ? error : ECANCELED);
    CHECK (nbd_aio_command_completed (h, cookie) == 0);
  }
  CHECK (nbd_ext_aio_cancel (h, cookie) == 0);

  answer (kind, &request);
  handle_arrivals (h);
  CHECK_RECORD (record, has_middle ? "Cmc" : "Cc");
  CHECK (nbd_aio_command_completed (h, cookie) == 0);
  CHECK (nbd_aio_is_ready (h) == 1);
}

int
main (void)
{
  static const int results[][2] = {
    { 0, 0 }, { 0, EPERM }, { 1, 0 }, { -1, 0 }, { -1, EPERM }
  };

  peer = (struct peer) { .replies = EXTENDED, .contexts = 1 };
  h = nbd_create ();
  peer_connect (h, &peer);
  CHECK_ERROR (nbd_ext_aio_cancel (h, 0), EINVAL);
  CHECK (nbd_ext_aio_cancel (h, 1) == 0);
  CHECK (nbd_ext_aio_cancel (h, UINT64_MAX) == 0);
  for (int kind = 0; kind <= 9; ++kind) {
    for (size_t i = 0; i < ITEMS (results); ++i)
      cancel_one (kind, results[i][0], results[i][1]);
  }
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
