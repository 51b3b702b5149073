/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Everything works even if system calls move single bytes, are interrupted, or
 * find nothing: connecting in every way, options, every command, and the
 * disconnect.
 * Source: recv(2), send(2), poll(2) and waitpid(2), "RETURN VALUE" and "ERRORS".
 */
#include "../harness/system-calls.h"

#define LENGTH 3000

static int
count_list (void *user_data, const char *name, const char *description)
{
  (void) name, (void) description;
  ++*(int *) user_data;
  return 0;
}

static int
count_extents (void *user_data, const char *context, uint64_t offset,
               uint32_t *entries, size_t count, int *error)
{
  (void) context, (void) offset, (void) entries, (void) error;
  *(int *) user_data += count / 2;
  return 0;
}

static void
use (struct nbd_handle *h)
{
  static char out[LENGTH], in[LENGTH];
  int64_t cookies[20];
  char bufs[20][100];
  int extents = 0;

  for (size_t i = 0; i < sizeof out; ++i)
    out[i] = i * 7 + i / 251;
  CHECK (nbd_pwrite (h, out, sizeof out, 1000, 0) == 0);
  CHECK (nbd_pread (h, in, sizeof in, 1000, 0) == 0);
  CHECK (memcmp (in, out, sizeof in) == 0);
  CHECK (nbd_zero (h, 4096, 8192, 0) == 0);
  CHECK (nbd_flush (h, 0) == 0);
  if (nbd_can_meta_context (h, "base:allocation")) {
    CHECK (nbd_block_status (h, 65536, 0,
                             (nbd_extent_callback) { .callback = count_extents,
                                                     .user_data = &extents },
                             0)
           == 0);
    CHECK (extents > 0);
  }
  for (int i = 0; i < 20; ++i)
    CHECK ((cookies[i] = nbd_aio_pread (h, bufs[i], 100, 1000 + i * 100,
                                        NBD_NULL_COMPLETION, 0))
           > 0);
  for (int i = 0; i < 20; ++i) {
    CHECK (wait_for (h, cookies[i]) == 1);
    CHECK (memcmp (bufs[i], out + i * 100, 100) == 0);
  }
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
}

static struct nbd_handle *
created (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (h != NULL);
  CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
  return h;
}

static void
connect_in_every_way (const char *path)
{
  struct nbd_handle *h = created ();
  int exports = 0;

  CHECK (nbd_connect_unix (h, path) == 0);
  use (h);
  h = created ();
  CHECK (nbd_connect_command (h, server_command ("--byte-at-a-time", "--size",
                                                 "64k"))
         == 0);
  use (h);
  h = created ();
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_connect_command (h, server_command ("--byte-at-a-time", "--size",
                                                 "64k"))
         == 0);
  use (h);
  h = created ();
  CHECK (nbd_connect_systemd_socket_activation (
             h, (char *[]) { memserver (), "--size", "64k", "--byte-at-a-time",
                             NULL })
         == 0);
  use (h);

  h = in_opt_mode (created ());
  CHECK (nbd_connect_unix (h, path) == 0);
  CHECK (nbd_opt_list (h, (nbd_list_callback) { .callback = count_list,
                                                .user_data = &exports })
         == 1);
  CHECK (exports == 1);
  CHECK (nbd_opt_info (h) == 0);
  CHECK (nbd_opt_go (h) == 0);
  use (h);

  h = in_opt_mode (created ());
  CHECK (nbd_connect_unix (h, path) == 0);
  CHECK (nbd_opt_abort (h) == 0);
  nbd_close (h);
}

int
main (void)
{
  static const struct {
    size_t most;
    unsigned interrupted, not_ready;
  } variants[] = { { 1, 0, 0 }, { 1, 2, 3 }, { 0, 2, 0 },
                   { 0, 0, 2 }, { 5, 3, 2 }, { 17, 5, 7 } };
  const char *path = server_start ("--size", "64k", "--send-size", "3");

  for (size_t i = 0; i < ITEMS (variants); ++i) {
    system_calls.most = variants[i].most;
    system_calls.interrupted = variants[i].interrupted;
    system_calls.not_ready = variants[i].not_ready;
    system_calls.faults = 0;
    connect_in_every_way (path);
    CHECK (system_calls.faults > 100 || i == 0);
  }
  memset (&system_calls, 0, sizeof system_calls);
  return 0;
}
