/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* While a timer without SA_RESTART interrupts blocking calls, options are
 * negotiated, hundreds of meta contexts are selected, and block status of all
 * of them is reported, even while the socket is full in both directions.
 * Source: signal(7) "Interruption of system calls".
 */
#include "../harness/commands.h"
#include "../harness/signals.h"

#define CONTEXTS 300
#define NAME 200
#define LARGE (32 * MIB)

static char names[CONTEXTS][NAME + 40];
static char *arguments[2 * CONTEXTS + 10];
static int exports, contexts;
static size_t statuses, entries;

static int
on_export (void *user_data, const char *name, const char *description)
{
  (void) user_data;
  (void) name;
  (void) description;
  ++exports;
  return 0;
}

static int
on_context (void *user_data, const char *name)
{
  (void) user_data;
  (void) name;
  ++contexts;
  return 0;
}

static int
on_extents (void *user_data, const char *name, uint64_t offset, uint32_t *list,
            size_t count, int *error)
{
  (void) user_data;
  (void) name;
  (void) offset;
  (void) list;
  CHECK (*error == 0);
  ++statuses;
  entries += count;
  return 0;
}

static int
on_extents64 (void *user_data, const char *name, uint64_t offset,
              nbd_extent *list, size_t count, int *error)
{
  (void) list;
  return on_extents (user_data, name, offset, NULL, count, error);
}

static struct nbd_handle *
negotiate (int count)
{
  struct nbd_handle *h = in_opt_mode (nbd_create ());
  nbd_list_callback list = { .callback = on_export };
  nbd_context_callback context = { .callback = on_context };
  char name[NAME + 40];

  CHECK (nbd_connect_command (h, arguments) == 0);
  exports = contexts = 0;
  CHECK (nbd_opt_list (h, list) == 1 && exports == 1);
  CHECK (nbd_opt_info (h) == 0);
  CHECK (nbd_opt_list_meta_context (h, context) >= CONTEXTS);
  for (int i = 0; i < count; ++i) {
    memcpy (name, names[i], sizeof name);
    *strchr (name, '=') = '\0';
    CHECK (nbd_add_meta_context (h, name) == 0);
  }
  contexts = 0;
  CHECK (nbd_opt_set_meta_context (h, context) == count);
  CHECK (contexts == count);
  CHECK (nbd_opt_go (h) == 0);
  return h;
}

int
main (void)
{
  /* valgrind checks the whole rest of a write at each system call. */
  bool slow = getenv ("TEST_UNDER_VALGRIND");
  int count = slow ? 20 : CONTEXTS;
  size_t requests = slow ? 20 : 100, size = slow ? MIB : LARGE;
  nbd_extent_callback extent = { .callback = on_extents };
  nbd_extent64_callback extent64 = { .callback = on_extents64 };
  static char large[LARGE];
  struct nbd_handle *h;
  size_t i = 0;

  arguments[i++] = memserver ();
  arguments[i++] = "--stdin";
  arguments[i++] = "--size";
  arguments[i++] = "64M";
  arguments[i++] = "--send-size";
  arguments[i++] = "65536";
  for (int c = 0; c < CONTEXTS; ++c) {
    snprintf (names[c], sizeof names[c], "x:%0*d=4096:0,4096:1", NAME, c);
    arguments[i++] = "--context";
    arguments[i++] = names[c];
  }

  interrupt_every (slow ? 20000 : 1000);
  h = negotiate (count);
  for (i = 0; i < 10 || signals < 10; ++i) {
    CHECK (nbd_block_status (h, MIB, 0, extent, 0) == 0);
    CHECK (nbd_block_status_64 (h, MIB, MIB, extent64, 0) == 0);
  }
  CHECK (statuses == 2 * i * count && entries >= statuses * 256);

  /* The server has replies to send that are not read, and continues with the
   * write only afterwards.
   */
  statuses = 0;
  for (i = 0; i < requests; ++i)
    CHECK (nbd_aio_block_status_64 (h, MIB, i % 64 * MIB, extent64,
                                    NBD_NULL_COMPLETION, 0)
           > 0);
  CHECK (nbd_pwrite (h, large, size, 0, 0) == 0);
  CHECK (nbd_pread (h, large, size, 0, 0) == 0);
  wait_for_all (h);
  CHECK (statuses == requests * count);
  CHECK (nbd_shutdown (h, 0) == 0);
  interrupt_every (0);
  nbd_close (h);
  return 0;
}
