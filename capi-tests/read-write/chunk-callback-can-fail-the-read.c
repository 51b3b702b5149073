/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A chunk callback that returns -1 makes the read fail with *error, or EPROTO;
 * an earlier error is kept; later chunks are still delivered, with the error in
 * *error.  With any other return value *error is ignored.
 * Source: nbd_pread_structured(3).
 */
#include "../harness/peer.h"

struct answer {
  int result, set_error;
  int seen[4], calls;
};

static int
on_chunk (void *user_data, const void *subbuf, size_t count, uint64_t offset,
          unsigned status, int *error)
{
  struct answer *answer = user_data;

  (void) subbuf, (void) count, (void) offset, (void) status;
  CHECK (answer->calls < 4);
  answer->seen[answer->calls++] = *error;
  if (answer->set_error)
    *error = answer->set_error;
  return answer->result;
}

static int
read_with (struct answer *answer, int error_before, int error_after)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };
  struct request request;
  struct bytes hole = { .count = 0 };
  char buf[1024];
  int64_t cookie;
  int completed, error = 0;

  peer_connect (h, &peer);
  cookie = nbd_aio_pread_structured (
      h, buf, sizeof buf, 0,
      (nbd_chunk_callback) { .callback = on_chunk, .user_data = answer },
      NBD_NULL_COMPLETION, 0);
  CHECK (cookie > 0);
  CHECK (nbd_poll (h, 0) == 0);
  request = peer_request (&peer, NULL);
  if (error_before)
    peer_error (&peer, &request, false, error_before);
  put64 (&hole, 0);
  put32 (&hole, 512);
  peer_chunk (&peer, &request, false, REPLY_OFFSET_HOLE, &hole);
  hole.count = 0;
  put64 (&hole, 512);
  put32 (&hole, 512);
  peer_chunk (&peer, &request, false, REPLY_OFFSET_HOLE, &hole);
  if (error_after)
    peer_error (&peer, &request, false, error_after);
  peer_success (&peer, &request);
  wait_for_all (h);
  CHECK (answer->calls == 2);
  completed = nbd_aio_command_completed (h, cookie);
  CHECK (completed == 1 || completed == -1);
  if (completed == -1)
    error = nbd_get_errno ();
  nbd_close (h);
  peer_close (&peer);
  return error;
}

int
main (void)
{
  struct answer plain = { 0, 0, { 0 }, 0 };
  struct answer fails = { -1, 0, { 0 }, 0 };
  struct answer fails_edom = { -1, EDOM, { 0 }, 0 };
  struct answer late = { -1, EDOM, { 0 }, 0 };
  struct answer early = { -1, EDOM, { 0 }, 0 };
  struct answer ignored = { 0, EDOM, { 0 }, 0 };
  struct answer one = { 1, EDOM, { 0 }, 0 };

  CHECK (read_with (&plain, 0, 0) == 0);
  CHECK (read_with (&fails, 0, 0) == EPROTO);
  CHECK (fails.seen[0] == 0 && fails.seen[1] == EPROTO);
  CHECK (read_with (&fails_edom, 0, 0) == EDOM);
  CHECK (fails_edom.seen[1] == EDOM);
  CHECK (read_with (&late, EIO, 0) == EIO);
  CHECK (late.seen[0] == EIO && late.seen[1] == EIO);
  CHECK (read_with (&early, 0, EIO) == EDOM);
  CHECK (read_with (&ignored, 0, 0) == 0);
  CHECK (ignored.seen[1] == 0);
  CHECK (read_with (&one, 0, 0) == 0);
  return 0;
}
