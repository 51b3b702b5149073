/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, every command completes, in a level-triggered loop of the
 * program's own and with nbd_poll, however the replies arrive: in pieces that end
 * anywhere, with data, holes and errors among them, and with synchronous commands
 * in between.
 * Source: nbd_ext_set_batching(3).
 */
#include "../harness/batches.h"

#include "../harness/soak.h"

#include <pthread.h>

#define DEPTH 64
#define COMMANDS 4000
#define SIZE 512
/* Offsets from here on are errors, and those between the two are holes. */
#define HOLES (512 * KIB)
#define ERRORS (768 * KIB)

struct output {
  struct peer *peer;
  char bytes[256 * 1024];
  size_t count;
  uint64_t chance;
};

static uint64_t
server_chance (struct output *output, uint64_t limit)
{
  output->chance = output->chance * UINT64_C (6364136223846793005) + 1442695;
  return (output->chance >> 33) % limit;
}

/* Sends the collected bytes in pieces that end anywhere, all or a part. */
static void
send_in_pieces (struct output *output, bool all)
{
  size_t sent = 0;

  while (sent < output->count) {
    size_t count = 1 + server_chance (output, 3000);

    if (!all && server_chance (output, 8) == 0)
      break;
    if (count > output->count - sent)
      count = output->count - sent;
    peer_write (output->peer, output->bytes + sent, count);
    sent += count;
    if (server_chance (output, 16) == 0)
      usleep (200);
  }
  output->count -= sent;
  memmove (output->bytes, output->bytes + sent, output->count);
}

static void
add (struct output *output, const struct bytes *bytes)
{
  CHECK (output->count + bytes->count <= sizeof output->bytes);
  memcpy (output->bytes + output->count, bytes->data, bytes->count);
  output->count += bytes->count;
}

static void
add_chunk (struct output *output, const struct request *to, bool done,
           uint16_t type, const struct bytes *payload)
{
  struct bytes header = { .count = 0 };

  put32 (&header, 0x668e33ef);
  put16 (&header, done);
  put16 (&header, type);
  put (&header, &to->cookie, 8);
  put32 (&header, payload->count);
  add (output, &header);
  add (output, payload);
}

static void
add_data (struct output *output, const struct request *to, uint64_t offset,
          size_t count, bool done)
{
  struct bytes payload = { .count = 0 };
  char data[SIZE];

  put64 (&payload, offset);
  memset (data, 'a' + to->offset / SIZE % 26, count);
  put (&payload, data, count);
  add_chunk (output, to, done, REPLY_OFFSET_DATA, &payload);
}

static void
answer (struct output *output, const struct request *to)
{
  struct bytes bytes = { .count = 0 };

  if (to->type != NBD_CMD_READ) {
    put32 (&bytes, 0x67446698);
    put32 (&bytes, 0);
    put (&bytes, &to->cookie, 8);
    add (output, &bytes);
  } else if (to->offset >= ERRORS) {
    put32 (&bytes, EIO);
    put16 (&bytes, 0);
    add_chunk (output, to, true, REPLY_ERROR, &bytes);
  } else if (to->offset >= HOLES) {
    put64 (&bytes, to->offset);
    put32 (&bytes, SIZE / 2);
    add_chunk (output, to, false, REPLY_OFFSET_HOLE, &bytes);
    add_data (output, to, to->offset + SIZE / 2, SIZE / 2, true);
  } else
    add_data (output, to, to->offset, SIZE, true);
}

/* Answers until NBD_CMD_DISC. */
static void *
serve (void *arg)
{
  static char payload[SIZE];
  struct output *output = arg;
  struct peer *peer = output->peer;
  struct request request;

  do {
    /* What was kept back leaves when nothing more comes. */
    if (!arrives (peer, 0))
      send_in_pieces (output, true);
    CHECK (arrives (peer, LONG_ENOUGH));
    request = peer_request (peer, NULL);
    if (request.type == NBD_CMD_WRITE)
      peer_read (peer, payload, request.length);
    answer (output, &request);
    send_in_pieces (output, false);
  } while (request.type != NBD_CMD_DISC);
  peer_hang_up (peer);
  return NULL;
}

struct slot {
  char data[SIZE];
  uint64_t offset;
  bool reads;
};

static struct slot slots[DEPTH], *vacant[DEPTH];
static int vacant_count;

static int
completion (void *user_data, int *error)
{
  struct slot *slot = user_data;

  CHECK (*error == (slot->reads && slot->offset >= ERRORS ? EIO : 0));
  if (slot->reads && *error == 0)
    for (int i = 0; i < SIZE; ++i)
      CHECK (slot->data[i]
             == (slot->offset >= HOLES && i < SIZE / 2
                     ? 0
                     : 'a' + (char) (slot->offset / SIZE % 26)));
  vacant[vacant_count++] = slot;
  return 1;
}

static void
issue (struct nbd_handle *h, struct slot *slot)
{
  nbd_completion_callback callback = { .callback = completion,
                                       .user_data = slot };
  int64_t r;

  slot->offset = chance (MIB / SIZE) * SIZE;
  slot->reads = chance (4) != 0;
  if (slot->reads)
    r = nbd_aio_pread (h, slot->data, SIZE, slot->offset, callback, 0);
  else if (chance (2))
    r = nbd_aio_pwrite (h, slot->data, SIZE, slot->offset, callback, 0);
  else
    r = nbd_aio_flush (h, callback, 0);
  CHECK (r > 0);
}

static int
wait_by_nbd_poll (struct nbd_handle *h)
{
  return nbd_poll (h, LONG_ENOUGH) - 1;
}

static void
run (uint64_t seed, bool synchronous, int (*wait) (struct nbd_handle *h))
{
  struct peer peer = { .replies = STRUCTURED };
  struct nbd_handle *h = batching_handle (&peer);
  static struct output output;
  pthread_t server;

  output = (struct output) { .peer = &peer, .chance = seed };
  chance_state = seed;
  vacant_count = 0;
  for (int i = 0; i < DEPTH; ++i)
    vacant[vacant_count++] = &slots[i];
  CHECK (pthread_create (&server, NULL, serve, &output) == 0);
  for (int issued = 0; issued < COMMANDS || vacant_count < DEPTH;) {
    uint64_t most = 1 + chance (DEPTH);

    for (; issued < COMMANDS && vacant_count > 0 && most-- > 0; ++issued)
      issue (h, vacant[--vacant_count]);
    if (synchronous && chance (4) == 0)
      CHECK (nbd_flush (h, 0) == 0);
    if (vacant_count < DEPTH)
      CHECK (wait (h) == 0);
  }
  CHECK (nbd_aio_in_flight (h) == 0);
  /* The server may close the connection first. */
  nbd_shutdown (h, 0);
  CHECK (pthread_join (server, NULL) == 0);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    run (seed, false, wait_by_nbd_poll);
    run (seed, false, wait_by_own_loop);
    run (seed, true, wait_by_nbd_poll);
    run (seed, true, wait_by_own_loop);
  }
  return 0;
}
