/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads from a scripted server, answered before the library receives. */
#ifndef HARNESS_PEER_READS_H
#define HARNESS_PEER_READS_H

#include "peer.h"

#define READS 16
#define READ_SIZE 512

struct reads {
  struct nbd_handle *h;
  struct peer peer;
  int chunks; /* chunks of each reply */
  bool may_fail;
  int completed;
  int called; /* chunks and completions */
  char data[READS][READ_SIZE];
};

static inline int
count_completion (void *user_data, int *error)
{
  struct reads *reads = user_data;

  CHECK (*error == 0 || reads->may_fail);
  ++reads->completed;
  ++reads->called;
  return 1;
}

static inline int
count_chunk (void *user_data, const void *subbuf, size_t count, uint64_t offset,
             unsigned status, int *error)
{
  struct reads *reads = user_data;

  (void) subbuf, (void) count, (void) offset;
  CHECK (status == LIBNBD_READ_DATA && *error == 0);
  ++reads->called;
  return 0;
}

static inline void
issue_read (struct reads *reads, int i)
{
  nbd_chunk_callback chunk = { .callback = count_chunk, .user_data = reads };
  nbd_completion_callback completion = { .callback = count_completion,
                                         .user_data = reads };

  memset (reads->data[i], 0, READ_SIZE);
  CHECK (nbd_aio_pread_structured (reads->h, reads->data[i], READ_SIZE,
                                   i * READ_SIZE, chunk, completion, 0)
         > 0);
}

/* Answers one request with data that identifies it. */
static inline void
answer_read (struct reads *reads, const struct request *request)
{
  size_t count = READ_SIZE / reads->chunks;
  char bytes[READ_SIZE];

  memset (bytes, 'a' + request->offset / READ_SIZE, sizeof bytes);
  if (reads->peer.replies == SIMPLE) {
    peer_simple (&reads->peer, request, 0);
    peer_write (&reads->peer, bytes, sizeof bytes);
    return;
  }
  for (int i = 0; i < reads->chunks; ++i) {
    struct bytes chunk = { .count = 0 };

    put64 (&chunk, request->offset + i * count);
    put (&chunk, bytes, count);
    peer_chunk (&reads->peer, request, i == reads->chunks - 1,
                REPLY_OFFSET_DATA, &chunk);
  }
}

static inline void
issue_and_answer (struct reads *reads, int count)
{
  reads->completed = reads->called = 0;
  for (int i = 0; i < count; ++i)
    issue_read (reads, i);
  for (int i = 0; i < count; ++i) {
    struct request request = peer_request (&reads->peer, NULL);

    CHECK (request.type == NBD_CMD_READ);
    answer_read (reads, &request);
  }
}

static inline void
check_data (struct reads *reads, int count)
{
  for (int i = 0; i < count; ++i)
    for (int j = 0; j < READ_SIZE; ++j)
      CHECK (reads->data[i][j] == 'a' + i);
}

/* Connects over a socket from the library or from the program. */
static inline void
start_reads (struct reads *reads, enum replies replies, bool given)
{
  memset (reads, 0, sizeof *reads);
  reads->chunks = 1;
  reads->peer.replies = replies;
  reads->h = nbd_create ();
  (given ? peer_connect : peer_accept) (reads->h, &reads->peer);
}

static inline void
end_reads (struct reads *reads)
{
  nbd_close (reads->h);
  peer_close (&reads->peer);
}

#endif /* HARNESS_PEER_READS_H */
