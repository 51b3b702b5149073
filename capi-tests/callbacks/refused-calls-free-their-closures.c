/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A refused call frees its closures once and never calls them: in the wrong
 * state, for a NULL parameter, for an invalid flag and for a request out of
 * bounds.
 * Source: libnbd(3), "Callback lifetimes".
 */
#include "../harness/commands.h"

static void
refused (struct nbd_handle *h, uint64_t offset, uint32_t flags)
{
  struct record record = { .result = 0 };
  char buf[512];
  char *contexts[] = { LIBNBD_CONTEXT_BASE_ALLOCATION, NULL };

#define REFUSED(call, expected) \
  do { \
    memset (&record, 0, sizeof record); \
    CHECK ((call) == -1); \
    CHECK_RECORD (record, expected); \
  } while (0)

  REFUSED (nbd_pread_structured (h, buf, 512, offset, CHUNK (&record), flags),
           "m");
  REFUSED (nbd_block_status (h, 512, offset, EXTENT (&record), flags), "m");
  REFUSED (nbd_block_status_64 (h, 512, offset, EXTENT64 (&record), flags),
           "m");
  REFUSED (nbd_block_status_filter (h, 512, offset, contexts,
                                    EXTENT64 (&record), flags),
           "m");
  REFUSED (nbd_aio_pread (h, buf, 512, offset, COMPLETION (&record), flags),
           "c");
  REFUSED (nbd_aio_pwrite (h, buf, 512, offset, COMPLETION (&record), flags),
           "c");
  REFUSED (nbd_aio_trim (h, 512, offset, COMPLETION (&record), flags), "c");
  REFUSED (nbd_aio_cache (h, 512, offset, COMPLETION (&record), flags), "c");
  REFUSED (nbd_aio_zero (h, 512, offset, COMPLETION (&record), flags), "c");
  REFUSED (nbd_aio_pread_structured (h, buf, 512, offset, CHUNK (&record),
                                     COMPLETION (&record), flags),
           "mc");
  REFUSED (nbd_aio_block_status (h, 512, offset, EXTENT (&record),
                                 COMPLETION (&record), flags),
           "mc");
  REFUSED (nbd_aio_block_status_64 (h, 512, offset, EXTENT64 (&record),
                                    COMPLETION (&record), flags),
           "mc");
  REFUSED (nbd_aio_block_status_filter (h, 512, offset, contexts,
                                        EXTENT64 (&record),
                                        COMPLETION (&record), flags),
           "mc");
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct record record = { .result = 0 };
  char buf[512];

  refused (h, 0, 0);
  REFUSED (nbd_aio_flush (h, COMPLETION (&record), 0), "c");
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  refused (h, MIB, 0);
  refused (h, 0, 0x40);
  refused (h, 0, 0x10000);
  REFUSED (nbd_aio_flush (h, COMPLETION (&record), 0x40), "c");
  REFUSED (nbd_aio_block_status (h, 512, 0,
                                 (nbd_extent_callback) { .callback = NULL },
                                 COMPLETION (&record), 0),
           "c");
  CHECK (nbd_get_errno () == EFAULT);
  REFUSED (nbd_aio_pread_structured (h, buf, 512, 0,
                                     (nbd_chunk_callback) { .callback = NULL },
                                     COMPLETION (&record), 0),
           "c");
  CHECK (nbd_get_errno () == EFAULT);
  CHECK (nbd_shutdown (h, 0) == 0);
  refused (h, 0, 0);
  nbd_close (h);
  return 0;
}
