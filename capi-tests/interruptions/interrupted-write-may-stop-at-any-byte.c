/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A write of which a part has been sent ends when it is interrupted, and its
 * memory may be unmapped: the rest is sent from a copy, before later requests.
 * If no byte has been sent, the server never sees the request.
 * Source: nbd_ext_set_timeout(3), nbd_ext_cancel(3), nbd_ext_aio_cancel(3).
 */
#include "../harness/interruptions.h"
#include "../harness/partial-sends.h"

#define COUNT 40
#define PAGE 4096

struct write {
  char *memory;
  struct iovec pieces[3];
  bool in_pieces;
};

static struct peer peer;
static struct nbd_handle *h;

static int
run (struct nbd_handle *handle, void *arg)
{
  struct write *write = arg;

  if (write->in_pieces)
    return nbd_ext_pwritev (handle, write->pieces, 3, 512, 0);
  return nbd_pwrite (handle, write->memory, COUNT, 512, 0);
}

static int64_t
issue (struct write *write)
{
  if (write->in_pieces)
    return nbd_ext_aio_pwritev (h, write->pieces, 3, 512, NBD_NULL_COMPLETION,
                                0);
  return nbd_aio_pwrite (h, write->memory, COUNT, 512, NBD_NULL_COMPLETION, 0);
}

static struct write
begin (bool in_pieces)
{
  struct write write = { .memory = map (PAGE), .in_pieces = in_pieces };
  size_t at = 0;

  for (int i = 0; i < 3; ++i) {
    size_t length = i == 0 ? 1 : i == 1 ? 17 : COUNT - at;

    write.pieces[i] = (struct iovec) { write.memory + at, length };
    at += length;
  }
  for (int i = 0; i < COUNT; ++i)
    write.memory[i] = 'A' + i;
  return write;
}

static void
interrupt (enum interruption how, struct write *write)
{
  if (how == AIO_CANCEL) {
    int64_t cookie = issue (write);

    CHECK (cookie > 0);
    CHECK (nbd_aio_is_processing (h) == 1);
    CHECK (nbd_ext_aio_cancel (h, cookie) == 1);
    CHECK_ERROR (nbd_aio_command_completed (h, cookie), ECANCELED);
  } else
    interrupt_call (h, how, run, write);
  CHECK (munmap (write->memory, PAGE) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
}

/* The request arrives with its data. */
static void
receive_write (void)
{
  char payload[COUNT];
  struct request request = peer_request (&peer, payload);

  CHECK (request.type == NBD_CMD_WRITE && request.offset == 512);
  CHECK (request.length == COUNT);
  for (int i = 0; i < COUNT; ++i)
    CHECK (payload[i] == 'A' + i);
  peer_success (&peer, &request);
}

/* The next request that arrives is that of this command. */
static void
flush_next (void)
{
  int64_t cookie = nbd_aio_flush (h, NBD_NULL_COMPLETION, 0);
  struct request request;

  while (nbd_aio_is_processing (h) == 1)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  request = peer_request (&peer, NULL);
  CHECK (request.type == NBD_CMD_FLUSH);
  peer_success (&peer, &request);
  CHECK (wait_for (h, cookie) == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
}

/* The socket takes `stop` bytes of the write. */
static void
stop_at (size_t stop, enum interruption how, bool in_pieces)
{
  struct write write = begin (in_pieces), second;
  int64_t cookie;

  sendable = stop;
  interrupt (how, &write);
  CHECK (nbd_aio_is_processing (h) == (stop > 0));
  if (stop > 0) {
    /* Of the next one, no byte is sent. */
    second = begin (in_pieces);
    interrupt (how, &second);
  }

  cookie = nbd_aio_zero (h, 512, 0, NBD_NULL_COMPLETION, 0);
  sendable = SIZE_MAX;
  while (nbd_aio_is_processing (h) == 1)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  if (stop > 0)
    receive_write ();
  if (cookie > 0) {
    struct request request = peer_request (&peer, NULL);

    CHECK (request.type == NBD_CMD_WRITE_ZEROES);
    peer_success (&peer, &request);
    CHECK (wait_for (h, cookie) == 1);
  }
  flush_next ();
  CHECK (nbd_aio_in_flight (h) == 0);
}

int
main (void)
{
  for (int replies = SIMPLE; replies <= EXTENDED; replies += EXTENDED) {
    size_t header = request_header_size (replies);

    peer = (struct peer) { .replies = replies };
    h = nbd_create ();
    peer_connect (h, &peer);
    unlimited_fd = peer.fd;
    for (int how = 0; how < INTERRUPTIONS; ++how)
      for (size_t stop = 0; stop < header + COUNT; ++stop)
        for (int in_pieces = 0; in_pieces < 2; ++in_pieces)
          stop_at (stop, how, in_pieces);
    nbd_close (h);
    peer_close (&peer);
    unlimited_fd = -1;
  }
  return 0;
}
