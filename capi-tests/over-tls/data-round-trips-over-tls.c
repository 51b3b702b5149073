/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Over TLS, exports are listed, and 256 MiB are written and read back
 * identical, with 16 requests in flight.
 *
 * Source: nbd_get_tls_negotiated(3), nbd_opt_list(3), nbd_aio_pread(3),
 * nbd_aio_pwrite(3).  EXPORT in the environment is the name of the export,
 * MEBIBYTES how much of it to use.
 */
#include "../harness/tls.h"

#define IN_FLIGHT 16
#define LARGEST (512 * 1024)

struct slot {
  unsigned char buffer[LARGEST];
  uint64_t offset;
  size_t count;
  int64_t cookie;
};

static struct slot slots[IN_FLIGHT];
static int most_in_flight;

static int
find_export (void *user_data, const char *name, const char *description)
{
  (void) description;
  if (strcmp (name, setting ("EXPORT")) == 0)
    *(bool *) user_data = true;
  return 0;
}

static void
finish (struct nbd_handle *h, struct slot *slot, bool reading)
{
  if (slot->count == 0)
    return;
  CHECK (wait_for (h, slot->cookie) == 1);
  if (reading)
    CHECK (is_filled (slot->buffer, slot->count, slot->offset, 1));
  slot->count = 0;
}

/* Issues requests of many sizes, which cover each byte exactly once. */
static void
move_everything (struct nbd_handle *h, uint64_t size, bool reading)
{
  static const size_t sizes[] = { 262144, 4096,   524288, 65536,  512,
                                  16384,  131072, 12288,  262144, 16896 };
  uint64_t offset;
  unsigned i = 0;

  for (offset = 0; offset < size; ++i) {
    struct slot *slot = &slots[i % IN_FLIGHT];

    finish (h, slot, reading);
    slot->offset = offset;
    slot->count = sizes[i % ITEMS (sizes)];
    if (slot->count > size - offset)
      slot->count = size - offset;
    if (reading) {
      memset (slot->buffer, 0, slot->count);
      slot->cookie = nbd_aio_pread (h, slot->buffer, slot->count, offset,
                                    NBD_NULL_COMPLETION, 0);
    } else {
      fill (slot->buffer, slot->count, offset, 1);
      slot->cookie = nbd_aio_pwrite (h, slot->buffer, slot->count, offset,
                                     NBD_NULL_COMPLETION, 0);
    }
    CHECK (slot->cookie > 0);
    if (nbd_aio_in_flight (h) > most_in_flight)
      most_in_flight = nbd_aio_in_flight (h);
    offset += slot->count;
  }
  for (i = 0; i < IN_FLIGHT; ++i)
    finish (h, &slots[i], reading);
}

int
main (void)
{
  uint64_t size = atoi (required_setting ("MEBIBYTES")) * MIB;
  struct nbd_handle *h = in_opt_mode (configured ());
  bool listed = false;

  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  CHECK (nbd_opt_list (h, (nbd_list_callback) { .callback = find_export,
                                                .user_data = &listed })
         >= 1);
  CHECK (listed);
  CHECK (nbd_set_export_name (h, required_setting ("EXPORT")) == 0);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  CHECK (nbd_get_size (h) >= (int64_t) size);

  move_everything (h, size, false);
  if (nbd_can_flush (h))
    CHECK (nbd_flush (h, 0) == 0);
  move_everything (h, size, true);
  CHECK (most_in_flight == IN_FLIGHT);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (nbd_aio_is_closed (h) == 1);
  nbd_close (h);
  return 0;
}
