/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If a server makes a reply need more memory than available, the command fails
 * with ENOMEM, and the connection continues after the reply.  The program
 * continues.
 * Source: malloc(3); libnbd(3), "Errno".
 */
#include "../harness/peer.h"

/* Number of extents in one reply, each for 4 KiB. */
#define EXTENTS 65536

static size_t most = SIZE_MAX;
static int refused;

/* Sanitizers and valgrind have their own malloc. */
#ifndef __SANITIZE_ADDRESS__

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t count, size_t size);
extern void *__libc_realloc (void *old, size_t size);

static bool
too_much (size_t size)
{
  if (size <= most)
    return false;
  ++refused;
  errno = ENOMEM;
  return true;
}

void *
malloc (size_t size)
{
  return too_much (size) ? NULL : __libc_malloc (size);
}

void *
calloc (size_t count, size_t size)
{
  return too_much (count * size) ? NULL : __libc_calloc (count, size);
}

void *
realloc (void *old, size_t size)
{
  return too_much (size) ? NULL : __libc_realloc (old, size);
}

#endif

static void
send_or_poll (struct nbd_handle *h, int fd, const void *data, size_t count)
{
  ssize_t r;

  for (; count > 0; count -= r, data = (const char *) data + r) {
    r = send (fd, data, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (r < 0) {
      CHECK (errno == EAGAIN);
      CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
      r = 0;
    }
  }
}

/* Sends the header of a chunk with that much payload, up to its first extent.
 */
static void
put_status_header (struct bytes *bytes, const struct peer *peer,
                   const struct request *to, uint32_t extents)
{
  bool wide = peer->replies == EXTENDED;

  put_chunk_header (bytes, peer->replies, to, true,
                    wide ? REPLY_BLOCK_STATUS_EXT : REPLY_BLOCK_STATUS,
                    wide ? 8 + 16 * extents : 4 + 8 * extents);
  put32 (bytes, 1);
  if (wide)
    put32 (bytes, extents);
}

static int
count_entries (void *user_data, const char *context, uint64_t offset,
               uint32_t *entries, size_t count, int *error)
{
  (void) context, (void) offset, (void) entries, (void) error;
  *(size_t *) user_data = count / 2;
  return 0;
}

static int
count_entries64 (void *user_data, const char *context, uint64_t offset,
                 nbd_extent *entries, size_t count, int *error)
{
  (void) context, (void) offset, (void) entries, (void) error;
  *(size_t *) user_data = count;
  return 0;
}

/* Returns the errno of the command; if it is 0, all extents were reported. */
static int
status (enum replies replies, bool wide, size_t limit)
{
  struct peer peer = { .replies = replies, .contexts = 1, .size = GIB };
  struct nbd_handle *h = nbd_create ();
  struct request request;
  struct bytes bytes = { .count = 0 };
  size_t reported = 0;
  int64_t cookie;
  int error = 0;
  char byte;

  peer_connect (h, &peer);
  if (wide)
    cookie = nbd_aio_block_status_64 (h, GIB, 0,
                                      (nbd_extent64_callback) {
                                          .callback = count_entries64,
                                          .user_data = &reported },
                                      NBD_NULL_COMPLETION, 0);
  else
    cookie = nbd_aio_block_status (h, GIB, 0,
                                   (nbd_extent_callback) {
                                       .callback = count_entries,
                                       .user_data = &reported },
                                   NBD_NULL_COMPLETION, 0);
  CHECK (cookie > 0);
  request = peer_request (&peer, NULL);
  most = limit;
  put_status_header (&bytes, &peer, &request, EXTENTS);
  send_or_poll (h, peer.fd, bytes.data, bytes.count);
  bytes.count = 0;
  for (int i = 0; i < 128; ++i) {
    if (replies == EXTENDED) {
      put64 (&bytes, 4096);
      put64 (&bytes, i % 2);
    } else {
      put32 (&bytes, 4096);
      put32 (&bytes, i % 2);
    }
  }
  for (int i = 0; i < EXTENTS / 128; ++i)
    send_or_poll (h, peer.fd, bytes.data, bytes.count);
  while (nbd_aio_in_flight (h) > 0)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  most = SIZE_MAX;
  if (nbd_aio_command_completed (h, cookie) == -1) {
    error = nbd_get_errno ();
    CHECK (reported == 0);
  } else
    CHECK (reported == EXTENTS);

  /* The connection is alive. */
  CHECK (nbd_aio_is_ready (h) == 1);
  cookie = nbd_aio_pread (h, &byte, 1, 0, NBD_NULL_COMPLETION, 0);
  request = peer_request (&peer, NULL);
  peer_error (&peer, &request, true, 5);
  CHECK (wait_for (h, cookie) == -1 && nbd_get_errno () == EIO);
  nbd_close (h);
  peer_close (&peer);
  return error;
}

static int
on_context (void *user_data, const char *name)
{
  (void) user_data, (void) name;
  return 0;
}

/* The same for a request of the program: an option too long for its memory. */
static void
long_option (bool limited)
{
  static char query[4001], *queries[1001];
  struct nbd_handle *h = negotiating ("--size", "1M");
  nbd_context_callback callback = { .callback = on_context };

  memset (query, 'q', 4000);
  for (int i = 0; i < 1000; ++i)
    queries[i] = query;
  most = MIB;
  if (limited) {
    CHECK_ERROR (nbd_opt_list_meta_context_queries (h, queries, callback),
                 ENOMEM);
    CHECK_ERROR (nbd_opt_set_meta_context_queries (h, queries, callback),
                 ENOMEM);
  }
  most = SIZE_MAX;
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (nbd_opt_list_meta_context (h, callback) > 0);
  CHECK (nbd_opt_go (h) == 0);
  nbd_close (h);
}

int
main (void)
{
  bool limited = getenv ("TEST_UNDER_VALGRIND") == NULL;

#ifdef __SANITIZE_ADDRESS__
  limited = false;
#endif
  for (int wide = 0; wide < 2; ++wide)
    for (enum replies replies = STRUCTURED; replies <= EXTENDED; ++replies) {
      int failed = 0;

      CHECK (status (replies, wide, SIZE_MAX) == 0);
      /* From too little for half of the reply up to enough for everything. */
      for (size_t limit = 192 * KIB; limit <= 4 * MIB; limit += 64 * KIB) {
        int error = status (replies, wide, limit);

        CHECK (error == 0 || error == ENOMEM);
        failed += error != 0;
      }
      CHECK (status (replies, wide, 4 * MIB) == 0);
      CHECK (failed > 0 || !limited);
    }
  CHECK (refused > 0 || !limited);
  long_option (limited);
  return 0;
}
