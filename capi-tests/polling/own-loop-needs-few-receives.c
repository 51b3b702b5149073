/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that polls the descriptor itself gets each reply with few receives:
 * two for a read, the header and the rest, while only reads are in flight, since
 * their replies are chunks, whose headers have a fixed length; and one for any
 * other command that is answered by a simple reply, as most servers do.
 */
#include "../harness/commands.h"
#include "../harness/counted-calls.h"

#define DEPTH 16
#define SIZE 4096
#define COMMANDS 1000

static int idle[DEPTH], idle_count;

static int
completion (void *user_data, int *error)
{
  CHECK (*error == 0);
  idle[idle_count++] = (int *) user_data - idle;
  return 1;
}

static int64_t
aio_pread (struct nbd_handle *h, char *buffer, uint64_t offset,
           nbd_completion_callback callback)
{
  return nbd_aio_pread (h, buffer, SIZE, offset, callback, 0);
}

static int64_t
aio_pwrite (struct nbd_handle *h, char *buffer, uint64_t offset,
            nbd_completion_callback callback)
{
  return nbd_aio_pwrite (h, buffer, SIZE, offset, callback, 0);
}

static int64_t
aio_zero (struct nbd_handle *h, char *buffer, uint64_t offset,
          nbd_completion_callback callback)
{
  (void) buffer;
  return nbd_aio_zero (h, SIZE, offset, callback, 0);
}

typedef int64_t issue_function (struct nbd_handle *h, char *buffer,
                                uint64_t offset,
                                nbd_completion_callback callback);

static void
check_receives (struct nbd_handle *h, issue_function *issue, double each)
{
  static char buffers[DEPTH][SIZE];
  struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

  receives = 0;
  for (int issued = 0; issued < COMMANDS || idle_count < DEPTH;) {
    while (issued < COMMANDS && idle_count > 0) {
      int i = idle[--idle_count];
      nbd_completion_callback callback = { .callback = completion,
                                           .user_data = &idle[i] };

      CHECK (issue (h, buffers[i], issued++ % 256 * SIZE, callback) > 0);
    }
    CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
    CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
    CHECK (nbd_aio_notify_read (h) == 0);
  }
  printf ("%lu receives for %d commands\n", receives, COMMANDS);
  CHECK (receives <= each * COMMANDS);
}

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M", "--pattern",
                                    "--no-extended-headers", "--simple-acks");

  for (int i = 0; i < DEPTH; ++i)
    idle[idle_count++] = i;
  check_receives (h, aio_pread, 2.2);
  check_receives (h, aio_pwrite, 1.1);
  check_receives (h, aio_zero, 1.1);
  nbd_close (h);
  return 0;
}
