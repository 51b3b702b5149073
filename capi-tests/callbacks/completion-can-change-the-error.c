/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A completion callback that returns -1 replaces the error of the command by
 * *error, even that of the server; if *error is 0, nothing changes. Other
 * return values do not affect the result.
 * Source: libnbd(3), "Errors in callbacks".
 */
#include "../harness/peer.h"

static int
complete (int result, int set_error, uint32_t server_error)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };
  struct request request;
  struct record record = { .result = result, .set_error = set_error };
  int64_t cookie;
  int completed, error = 0;

  peer_connect (h, &peer);
  cookie = nbd_aio_flush (h, COMPLETION (&record), 0);
  CHECK (cookie > 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  if (server_error)
    peer_error (&peer, &request, true, server_error);
  else
    peer_success (&peer, &request);
  handle_arrivals (h);
  CHECK_RECORD (record, "C");
  CHECK (record.error == (int) server_error);
  completed = nbd_aio_command_completed (h, cookie);
  CHECK (completed == 1 || completed == -1);
  if (completed == -1)
    error = nbd_get_errno ();
  CHECK_RECORD (record, "Cc");
  nbd_close (h);
  peer_close (&peer);
  return error;
}

int
main (void)
{
  CHECK (complete (0, 0, 0) == 0);
  CHECK (complete (-1, EDOM, 0) == EDOM);
  CHECK (complete (-1, EDOM, EIO) == EDOM);
  CHECK (complete (-1, 0, 0) == 0);
  CHECK (complete (-1, 0, EIO) == EIO);
  CHECK (complete (0, EDOM, 0) == 0);
  CHECK (complete (0, EDOM, EIO) == EIO);
  CHECK (complete (2, EDOM, 0) == 0);
  return 0;
}
