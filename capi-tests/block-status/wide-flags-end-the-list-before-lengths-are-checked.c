/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of a 32-bit caller ends before an extent with flags of more than 32
 * bits, whose length is not checked.  If that is the first extent, the call
 * fails with EOVERFLOW, and later extents are not checked.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

#define WIDE (UINT64_C (1) << 33)
#define LEFT 2048 /* bytes up to the end of the export */
#define MOST 3

struct row {
  int count; /* length and flags of the server's extents */
  uint64_t extents[2 * MOST];
  int error;
  uint32_t length, flags; /* the only extent that the caller gets */
};

static const struct row rows[] = {
  { 1, { 512, WIDE }, EOVERFLOW, 512, 0 },
  { 2, { 512, WIDE, MIB, 0 }, EOVERFLOW, 512, 0 },
  { 1, { MIB, WIDE }, EOVERFLOW, LEFT, 0 },
  { 1, { 0, WIDE }, EOVERFLOW, 0, 0 },
  { 2, { LEFT, WIDE, 512, 1 }, EOVERFLOW, LEFT, 0 },
  { 2, { MIB, 0, 512, WIDE }, EPROTO, LEFT, 0 },
  { 2, { 0, 1, 512, WIDE }, EPROTO, 0, 1 },
  { 2, { 512, 1, 512, WIDE }, 0, 512, 1 },
  { 2, { 512, 1, 0, WIDE }, 0, 512, 1 },
  { 2, { 512, 1, MIB, WIDE }, 0, 512, 1 },
  { 2, { LEFT, 1, 512, WIDE }, 0, LEFT, 1 },
  { 3, { 512, 1, 512, WIDE, MIB, 1 }, 0, 512, 1 },
};

static int
see (void *user_data, const char *metacontext, uint64_t offset,
     uint32_t *entries, size_t nr_entries, int *error)
{
  const struct row *row = user_data;

  (void) metacontext, (void) offset;
  CHECK (*error == row->error && nr_entries == 2);
  CHECK (entries[0] == row->length && entries[1] == row->flags);
  return 0;
}

static void
check (const struct row *row)
{
  struct peer peer = { .replies = EXTENDED, .contexts = 1 };
  struct nbd_handle *h = nbd_create ();
  nbd_extent_callback callback = { .callback = see, .user_data = (void *) row };
  struct bytes payload = { .count = 0 };
  struct record record = { .error = -1 };
  struct request request;

  peer_connect (h, &peer);
  CHECK (nbd_aio_block_status (h, 512, MIB - LEFT, callback,
                               COMPLETION (&record), 0)
         == 1);
  request = peer_request (&peer, NULL);
  put32 (&payload, 1);
  put32 (&payload, row->count);
  for (int i = 0; i < 2 * row->count; ++i)
    put64 (&payload, row->extents[i]);
  peer_chunk (&peer, &request, true, REPLY_BLOCK_STATUS_EXT, &payload);
  while (record.error == -1)
    CHECK (nbd_poll (h, 10000) == 1);
  CHECK (record.error == row->error);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i)
    check (&rows[i]);
  return 0;
}
