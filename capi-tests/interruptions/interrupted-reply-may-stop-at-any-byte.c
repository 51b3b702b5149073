/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A command whose reply stops at any byte ends when it is interrupted: by a time
 * limit, nbd_ext_cancel or nbd_ext_aio_cancel.  Its closures are freed once, and
 * its memory may be unmapped.  When the rest of the reply arrives, it is
 * ignored, and the next command gets its own reply.
 * Source: nbd_ext_set_timeout(3), nbd_ext_cancel(3), nbd_ext_aio_cancel(3).
 */
#include "../harness/interruptions.h"

#define COUNT 16
#define PAGE 4096

enum kind {
  READ,
  READ_STRUCTURED,
  READ_ERRORS,
  READ_PIECES,
  BLOCK_STATUS,
  BLOCK_STATUS_64,
  KINDS
};

struct command {
  enum kind kind;
  char *memory;
  struct record record;
};

static struct peer peer;
static struct nbd_handle *h;
static uint64_t cookie;

static int
run (struct nbd_handle *handle, void *arg)
{
  struct command *command = arg;
  struct record *record = &command->record;
  struct iovec pieces[3] = { { command->memory, 3 },
                             { command->memory + 8, 1 },
                             { command->memory + 16, COUNT - 4 } };

  switch (command->kind) {
  case READ:
    return nbd_pread (handle, command->memory, COUNT, 0, 0);
  case READ_PIECES:
    return nbd_ext_preadv (handle, pieces, 3, 0, 0);
  case BLOCK_STATUS:
    return nbd_block_status (handle, 512, 0, EXTENT (record), 0);
  case BLOCK_STATUS_64:
    return nbd_block_status_64 (handle, 512, 0, EXTENT64 (record), 0);
  default:
    return nbd_pread_structured (handle, command->memory, COUNT, 0,
                                 CHUNK (record), 0);
  }
}

static int64_t
issue (struct command *command)
{
  struct record *record = &command->record;
  struct iovec pieces[3] = { { command->memory, 3 },
                             { command->memory + 8, 1 },
                             { command->memory + 16, COUNT - 4 } };

  switch (command->kind) {
  case READ:
    return nbd_aio_pread (h, command->memory, COUNT, 0, COMPLETION (record), 0);
  case READ_PIECES:
    return nbd_ext_aio_preadv (h, pieces, 3, 0, COMPLETION (record), 0);
  case BLOCK_STATUS:
    return nbd_aio_block_status (h, 512, 0, EXTENT (record),
                                 COMPLETION (record), 0);
  case BLOCK_STATUS_64:
    return nbd_aio_block_status_64 (h, 512, 0, EXTENT64 (record),
                                    COMPLETION (record), 0);
  default:
    return nbd_aio_pread_structured (h, command->memory, COUNT, 0,
                                     CHUNK (record), COMPLETION (record), 0);
  }
}

static void
put_chunk (struct bytes *bytes, const struct request *to, bool done,
           uint16_t type, const struct bytes *payload)
{
  put_chunk_header (bytes, peer.replies, to, done, type, payload->count);
  put (bytes, payload->data, payload->count);
}

static void
put_data (struct bytes *bytes, const struct request *to, bool done, char byte)
{
  struct bytes payload = { .count = 0 };
  char data[COUNT / 2];

  memset (data, byte, sizeof data);
  if (peer.replies == SIMPLE) {
    put_simple_reply (bytes, to, 0);
    put (bytes, data, sizeof data);
    put (bytes, data, sizeof data);
    return;
  }
  put64 (&payload, 0);
  put (&payload, data, sizeof data);
  put_chunk (bytes, to, false, REPLY_OFFSET_DATA, &payload);
  payload.count = 0;
  put64 (&payload, sizeof data);
  put32 (&payload, sizeof data);
  put_chunk (bytes, to, done, REPLY_OFFSET_HOLE, &payload);
}

static void
put_reply (struct bytes *bytes, enum kind kind, const struct request *to)
{
  struct bytes payload = { .count = 0 };

  switch (kind) {
  case READ_ERRORS:
    put_data (bytes, to, false, 'l');
    put32 (&payload, EIO);
    put16 (&payload, 3);
    put (&payload, "bad", 3);
    put64 (&payload, 3);
    put_chunk (bytes, to, true, REPLY_ERROR_OFFSET, &payload);
    return;
  case BLOCK_STATUS:
  case BLOCK_STATUS_64:
    put32 (&payload, 1);
    if (peer.replies == EXTENDED) {
      put32 (&payload, 1);
      put64 (&payload, 512);
      put64 (&payload, 3);
      put_chunk (bytes, to, true, REPLY_BLOCK_STATUS_EXT, &payload);
      return;
    }
    put32 (&payload, 512);
    put32 (&payload, 3);
    put_chunk (bytes, to, true, REPLY_BLOCK_STATUS, &payload);
    return;
  default:
    put_data (bytes, to, true, 'l');
  }
}

/* The request that the handle sends next. */
static struct request
next_request (void)
{
  struct request next = { .cookie = htobe64 (++cookie) };

  return next;
}

static void
check_request (const struct request *expected)
{
  CHECK (peer_request (&peer, NULL).cookie == expected->cookie);
}

static int
occurrences (const struct record *record, char letter)
{
  int count = 0;

  for (const char *next = record->letters; *next; ++next)
    count += *next == letter;
  return count;
}

/* Returns false if the reply has no byte at `stop`. */
static bool
stop_at (size_t stop, enum kind kind, enum interruption how)
{
  bool has_middle = kind != READ && kind != READ_PIECES;
  bool has_completion = how == AIO_CANCEL;
  struct command command = { .kind = kind, .memory = map (PAGE) };
  struct request request = next_request ();
  struct bytes reply = { .count = 0 };
  char data[COUNT];
  size_t letters;

  put_reply (&reply, kind, &request);
  if (stop >= reply.count) {
    --cookie;
    CHECK (munmap (command.memory, PAGE) == 0);
    return false;
  }

  /* The first bytes are received after the request has been sent. */
  peer_write (&peer, reply.data, stop);
  if (how == AIO_CANCEL) {
    int64_t number = issue (&command);

    CHECK (number > 0);
    handle_arrivals (h);
    CHECK (nbd_aio_in_flight (h) == 1);
    CHECK (nbd_ext_aio_cancel (h, number) == 1);
    CHECK_ERROR (nbd_aio_command_completed (h, number), ECANCELED);
  } else
    interrupt_call (h, how, run, &command);
  CHECK (munmap (command.memory, PAGE) == 0);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  CHECK (occurrences (&command.record, 'm') == has_middle);
  CHECK (occurrences (&command.record, 'C') == has_completion);
  CHECK (occurrences (&command.record, 'c') == has_completion);
  letters = strlen (command.record.letters);
  check_request (&request);
  peer_write (&peer, reply.data + stop, reply.count - stop);

  request = next_request ();
  reply.count = 0;
  put_data (&reply, &request, true, 'n');
  peer_bytes (&peer, &reply);
  memset (data, 'o', sizeof data);
  CHECK (nbd_pread (h, data, COUNT, 0, 0) == 0);
  CHECK (data[0] == 'n');
  CHECK (data[COUNT - 1] == (peer.replies == SIMPLE ? 'n' : 0));
  check_request (&request);
  CHECK (strlen (command.record.letters) == letters);
  CHECK (nbd_aio_is_ready (h) == 1);
  return true;
}

int
main (void)
{
  for (int replies = SIMPLE; replies <= EXTENDED; ++replies) {
    peer = (struct peer) { .replies = replies, .contexts = 1 };
    h = nbd_create ();
    cookie = 0;
    peer_connect (h, &peer);
    for (int how = 0; how < INTERRUPTIONS; ++how)
      for (int kind = 0; kind < KINDS; ++kind) {
        if (replies == SIMPLE && kind != READ && kind != READ_PIECES)
          continue;
        for (size_t stop = 0; stop_at (stop, kind, how); ++stop)
          ;
      }
    nbd_close (h);
    peer_close (&peer);
  }
  return 0;
}
