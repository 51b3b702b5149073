/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Over TLS, a call that waits for no particular reply handles the data of one
 * record, and of a long reply at most 256 KiB and one more record. Data
 * received early wakes the program again.
 * Source: nbd_poll(3), nbd_aio_notify_read(3); seen with libnbd 1.24.4.
 */
#include "../harness/tls.h"

#define RECORD 16384
#define LONG_READ (16 * 1024 * 1024)
#define READS 64

static char data[LONG_READ];
static int completed;

static int
completion (void *user_data, int *error)
{
  (void) user_data;
  CHECK (*error == 0);
  ++completed;
  return 1;
}

static void
issue (struct nbd_handle *h, size_t count, uint64_t offset)
{
  nbd_completion_callback callback = { .callback = completion };

  CHECK (nbd_aio_pread (h, data + offset, count, offset, callback, 0) > 0);
}

/* Makes one call and returns the number of bytes it handled. */
static uint64_t
call (struct nbd_handle *h, bool own_loop)
{
  uint64_t before = nbd_stats_bytes_received (h);

  if (own_loop) {
    struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

    if (nbd_aio_get_direction (h) & LIBNBD_AIO_DIRECTION_WRITE)
      fd.events |= POLLOUT;
    CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
    if (fd.revents & POLLIN)
      CHECK (nbd_aio_notify_read (h) == 0);
    else
      CHECK (nbd_aio_notify_write (h) == 0);
  } else
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  return nbd_stats_bytes_received (h) - before;
}

static void
check (struct nbd_handle *h, bool own_loop)
{
  int calls = 0;

  completed = 0;
  for (int i = 0; i < READS; ++i)
    issue (h, 512, 512 * i);
  while (completed < READS)
    CHECK (call (h, own_loop) <= 2 * RECORD);

  issue (h, sizeof data, 0);
  while (completed == READS) {
    CHECK (call (h, own_loop) <= 256 * KIB + 2 * RECORD);
    ++calls;
  }
  CHECK (calls >= LONG_READ / (256 * 1024 + 2 * RECORD));
}

int
main (void)
{
  struct nbd_handle *h = configured ();

  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  check (h, false);
  check (h, true);
  check (h, false);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
