/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A chunk whose type or length is invalid in reply to its command fails the
 * command with EPROTO once its payload is complete. If the stream ends first,
 * the command fails with ENOTCONN like the connection. Extents of the size for
 * the other kind of header are refused as soon as their own header is complete.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

#define UNKNOWN 7

static int
keep_error (void *user_data, int *error)
{
  *(int *) user_data = *error;
  return 1;
}

static int
ignore_extents (void *user_data, const char *context, uint64_t offset,
                uint32_t *entries, size_t count, int *error)
{
  (void) user_data, (void) context, (void) offset;
  (void) entries, (void) count, (void) error;
  return 0;
}

static void
issue (struct nbd_handle *h, int command, int *error)
{
  static char buffer[512];
  nbd_completion_callback done = { .callback = keep_error, .user_data = error };
  nbd_extent_callback extent = { .callback = ignore_extents };
  int64_t cookie;

  if (command == NBD_CMD_READ)
    cookie = nbd_aio_pread (h, buffer, sizeof buffer, 0, done, 0);
  else if (command == NBD_CMD_BLOCK_STATUS)
    cookie = nbd_aio_block_status (h, sizeof buffer, 0, extent, done, 0);
  else
    cookie = nbd_aio_trim (h, sizeof buffer, 0, done, 0);
  CHECK (cookie == 1);
}

/* Returns the errno of a command if the server sends a chunk with LENGTH bytes
 * of payload except for the last MISSING ones, and closes.
 */
static int
error_after (enum replies replies, int command, uint16_t type, size_t length,
             size_t missing)
{
  struct peer peer = { .replies = replies, .contexts = 1 };
  struct nbd_handle *h = nbd_create ();
  struct bytes chunk = { .count = 0 };
  struct request request;
  int error = -1;

  peer_connect (h, &peer);
  issue (h, command, &error);
  request = peer_request (&peer, NULL);
  put_chunk_header (&chunk, replies, &request, false, type, length);
  for (size_t i = missing; i < length; ++i)
    put (&chunk, "", 1);
  peer_bytes (&peer, &chunk);
  peer_close (&peer);
  while (error == -1)
    if (nbd_poll (h, -1) == -1)
      break;
  CHECK (nbd_aio_is_dead (h) || nbd_aio_is_closed (h));
  nbd_close (h);
  return error;
}

static void
refused (enum replies replies, int command, uint16_t type, size_t length)
{
  CHECK (error_after (replies, command, type, length, 0) == EPROTO);
  CHECK (error_after (replies, command, type, length, 1) == ENOTCONN);
  CHECK (error_after (replies, command, type, length, length) == ENOTCONN);
}

static void
check (enum replies replies)
{
  int mine = replies == EXTENDED ? REPLY_BLOCK_STATUS_EXT : REPLY_BLOCK_STATUS;
  int other = replies == EXTENDED ? REPLY_BLOCK_STATUS : REPLY_BLOCK_STATUS_EXT;

  refused (replies, NBD_CMD_READ, REPLY_NONE, 4);
  refused (replies, NBD_CMD_READ, REPLY_OFFSET_HOLE, 8);
  refused (replies, NBD_CMD_READ, REPLY_OFFSET_HOLE, 16);
  refused (replies, NBD_CMD_READ, mine, 12);
  refused (replies, NBD_CMD_READ, UNKNOWN, 8);
  refused (replies, NBD_CMD_TRIM, REPLY_OFFSET_DATA, 16);
  refused (replies, NBD_CMD_TRIM, REPLY_OFFSET_HOLE, 12);
  refused (replies, NBD_CMD_TRIM, UNKNOWN, 8);
  refused (replies, NBD_CMD_BLOCK_STATUS, REPLY_OFFSET_DATA, 16);
  refused (replies, NBD_CMD_BLOCK_STATUS, mine, 10);
  for (size_t missing = 1; missing <= 8; ++missing)
    CHECK (error_after (replies, NBD_CMD_BLOCK_STATUS, other,
                        other == REPLY_BLOCK_STATUS ? 12 : 24, missing)
           == EPROTO);
}

int
main (void)
{
  check (STRUCTURED);
  check (EXTENDED);
  return 0;
}
