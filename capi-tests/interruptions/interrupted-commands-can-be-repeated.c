/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every synchronous command is interrupted by a time limit and by
 * nbd_ext_cancel. The connection continues: its reply is ignored when it
 * arrives, and the same command succeeds.
 * Source: nbd_ext_set_timeout(3), nbd_ext_cancel(3).
 */
#include "../harness/interruptions.h"

#define COUNT 512

static char data[COUNT];
static struct iovec pieces[2] = { { data, 1 }, { data + 1, COUNT - 1 } };

#define COMMAND(name, call) \
  static int name (struct nbd_handle *h, void *record) \
  { \
    (void) record; \
    return call; \
  }

COMMAND (read_data, nbd_pread (h, data, COUNT, 0, 0))
COMMAND (read_chunks,
         nbd_pread_structured (h, data, COUNT, 0, CHUNK (record), 0))
COMMAND (read_pieces, nbd_ext_preadv (h, pieces, 2, 0, 0))
COMMAND (write_data, nbd_pwrite (h, data, COUNT, 0, 0))
COMMAND (write_pieces, nbd_ext_pwritev (h, pieces, 2, 0, 0))
COMMAND (flush, nbd_flush (h, 0))
COMMAND (trim, nbd_trim (h, COUNT, 0, 0))
COMMAND (cache, nbd_cache (h, COUNT, 0, 0))
COMMAND (zero, nbd_zero (h, COUNT, 0, 0))
COMMAND (block_status, nbd_block_status (h, COUNT, 0, EXTENT (record), 0))
COMMAND (block_status_64,
         nbd_block_status_64 (h, COUNT, 0, EXTENT64 (record), 0))
COMMAND (block_status_filter,
         nbd_block_status_filter (h, COUNT, 0,
                                  (char *[]) { LIBNBD_CONTEXT_BASE_ALLOCATION,
                                               NULL },
                                  EXTENT64 (record), 0))

static int (*const commands[]) (struct nbd_handle *, void *) = {
  read_data,    read_chunks,     read_pieces,
  write_data,   write_pieces,    flush,
  trim,         cache,           zero,
  block_status, block_status_64, block_status_filter,
};

static struct peer peer;

static void
answer (struct request request)
{
  struct bytes payload = { .count = 0 };

  switch (request.type) {
  case NBD_CMD_READ:
    put64 (&payload, 0);
    put32 (&payload, COUNT);
    peer_chunk (&peer, &request, true, REPLY_OFFSET_HOLE, &payload);
    return;
  case NBD_CMD_BLOCK_STATUS:
    put32 (&payload, 1);
    put32 (&payload, 1);
    put64 (&payload, COUNT);
    put64 (&payload, 0);
    peer_chunk (&peer, &request, true, REPLY_BLOCK_STATUS_EXT, &payload);
    return;
  default:
    peer_success (&peer, &request);
  }
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct record record;

  peer = (struct peer) { .replies = EXTENDED, .contexts = 1 };
  peer_connect (h, &peer);
  for (int how = TIMEOUT; how <= CANCEL; ++how)
    for (size_t i = 0; i < ITEMS (commands); ++i) {
      struct request first, second;
      char payload[COUNT];

      record = (struct record) { .result = 0 };
      interrupt_call (h, how, commands[i], &record);
      CHECK (record.letters[0] == '\0' || strcmp (record.letters, "m") == 0);
      first = peer_request (&peer, NULL);
      if (first.flags & NBD_CMD_FLAG_PAYLOAD_LEN)
        peer_read (&peer, payload, first.length);

      /* The cookies are consecutive numbers. */
      second = first;
      second.cookie = htobe64 (be64toh (first.cookie) + 1);
      answer (first);
      answer (second);
      CHECK (commands[i](h, &record) == 0);
      CHECK (record.letters[0] == '\0' || strcmp (record.letters, "mMm") == 0);
      second = peer_request (&peer, NULL);
      if (second.flags & NBD_CMD_FLAG_PAYLOAD_LEN)
        peer_read (&peer, payload, second.length);
      CHECK (nbd_aio_is_ready (h) == 1);
      CHECK (nbd_aio_in_flight (h) == 0);
    }
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
