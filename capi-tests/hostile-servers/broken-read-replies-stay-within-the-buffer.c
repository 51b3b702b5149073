/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Data and holes that do not fit the read are never written outside of the
 * buffer, and fail the read.  If they point outside of the request, libnbd
 * 1.24.4 ends the connection; continuing is acceptable, too.
 * Source: nbd_pread_structured(3); proto.md, NBD_REPLY_TYPE_*.
 */
#include "../harness/commands.h"

#define COUNT 65536
#define MARGIN 4096

/* ANY: may end with any errno, and with or without the connection. */
enum { ANY = -2, NONE = -1 };

static const struct {
  char *fault;
  int error;
} faults[] = {
  { "data-oversize:1", ANY },   { "data-misplaced:1", ANY },
  { "data-beyond:1", ANY },     { "data-overlap:1", EPROTO },
  { "data-missing:1", EPROTO }, { "data-empty:1", NONE },
  { "data-short:1", EPROTO },   { "hole-empty:1", NONE },
  { "hole-short:1", EPROTO },   { "hole-long:1", EPROTO },
  { "hole-oversize:1", ANY },   { "hole-misplaced:1", ANY },
};

static char buf[MARGIN + COUNT + MARGIN];

static int
stay_inside (void *user_data, const void *subbuf, size_t count, uint64_t offset,
             unsigned status, int *error)
{
  const char *bytes = subbuf;

  (void) user_data, (void) error;
  CHECK (bytes >= buf + MARGIN && bytes + count <= buf + MARGIN + COUNT);
  CHECK (offset - 4096 == (uint64_t) (bytes - buf - MARGIN));
  CHECK (status == LIBNBD_READ_DATA || status == LIBNBD_READ_HOLE);
  return 0;
}

static void
strike (char *fault, char *option, int error)
{
  struct nbd_handle *h = connected ("--size", "1M", "--fault", fault, option);
  int r;

  CHECK (nbd_pwrite (h, "data", 4, 20000, 0) == 0);
  memset (buf, 'm', sizeof buf);
  r = nbd_pread_structured (h, buf + MARGIN, COUNT, 4096,
                            (nbd_chunk_callback) { .callback = stay_inside },
                            0);
  if (error == NONE) {
    CHECK (r == 0);
    CHECK (memcmp (buf + MARGIN + 20000 - 4096, "data", 4) == 0);
  } else {
    CHECK (r == -1);
    CHECK (error == ANY || nbd_get_errno () == error);
  }
  for (size_t i = 0; i < MARGIN; ++i)
    CHECK (buf[i] == 'm' && buf[MARGIN + COUNT + i] == 'm');
  if (error == ANY && nbd_aio_is_dead (h))
    CHECK_ERROR (nbd_flush (h, 0), EINVAL);
  else {
    CHECK (nbd_pread (h, buf, 4, 20000, 0) == 0);
    CHECK (memcmp (buf, "data", 4) == 0);
  }
  nbd_close (h);
}

int
main (void)
{
  for (size_t i = 0; i < ITEMS (faults); ++i) {
    strike (faults[i].fault, "--no-extended-headers", faults[i].error);
    strike (faults[i].fault, "--newstyle-fixed", faults[i].error);
  }
  return 0;
}
