/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Data and holes that do not fit the read are never written outside of the
 * buffer: they kill the connection when they point outside of the request and
 * fail the read otherwise.
 * Source: nbd_pread_structured(3); outcomes of libnbd 1.24.4.
 */
#include "harness-commands.h"

#define COUNT 65536
#define MARGIN 4096

static const struct { char *fault; int error; bool lives; } faults[] = {
  { "data-oversize:1", 0, false },
  { "data-misplaced:1", 0, false },
  { "data-beyond:1", 0, false },
  { "data-overlap:1", EPROTO, true },
  { "data-missing:1", EPROTO, true },
  { "data-empty:1", -1, true },
  { "data-short:1", EPROTO, true },
  { "hole-empty:1", -1, true },
  { "hole-short:1", EPROTO, true },
  { "hole-long:1", EPROTO, true },
  { "hole-oversize:1", 0, false },
  { "hole-misplaced:1", 0, false },
};

static char buf[MARGIN + COUNT + MARGIN];

static int
stay_inside (void *user_data, const void *subbuf, size_t count,
             uint64_t offset, unsigned status, int *error)
{
  const char *bytes = subbuf;

  (void) user_data, (void) error;
  CHECK (bytes >= buf + MARGIN && bytes + count <= buf + MARGIN + COUNT);
  CHECK (offset - 4096 == (uint64_t) (bytes - buf - MARGIN));
  CHECK (status == LIBNBD_READ_DATA || status == LIBNBD_READ_HOLE);
  return 0;
}

static void
strike (char *fault, char *option, int error, bool lives)
{
  struct nbd_handle *h = connected ("--size", "1M", "--fault", fault, option);

  CHECK (nbd_pwrite (h, "data", 4, 20000, 0) == 0);
  memset (buf, 'm', sizeof buf);
  if (error >= 0)
    CHECK_ERROR (nbd_pread_structured (h, buf + MARGIN, COUNT, 4096,
                                       (nbd_chunk_callback) {
                                         .callback = stay_inside }, 0), error);
  else {
    CHECK (nbd_pread_structured (h, buf + MARGIN, COUNT, 4096,
                                 (nbd_chunk_callback) {
                                   .callback = stay_inside }, 0) == 0);
    CHECK (memcmp (buf + MARGIN + 20000 - 4096, "data", 4) == 0);
  }
  if (!lives)
    CHECK_MESSAGE ("range of structured reply is out of bounds");
  CHECK (nbd_aio_is_dead (h) == !lives);
  for (size_t i = 0; i < MARGIN; ++i)
    CHECK (buf[i] == 'm' && buf[MARGIN + COUNT + i] == 'm');
  if (lives) {
    CHECK (nbd_pread (h, buf, 4, 20000, 0) == 0);
    CHECK (memcmp (buf, "data", 4) == 0);
  }
  nbd_close (h);
}

int
main (void)
{
  for (size_t i = 0; i < ITEMS (faults); ++i) {
    strike (faults[i].fault, "--no-extended-headers", faults[i].error,
            faults[i].lives);
    strike (faults[i].fault, "--newstyle-fixed", faults[i].error,
            faults[i].lives);
  }
  return 0;
}
