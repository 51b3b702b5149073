/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that polls the descriptor itself gets each reply to a read with two
 * system calls, one for the header and one for the rest, while only reads are
 * in flight: their replies are chunks, whose headers have a fixed length.
 *
 * This program defines the functions of the C library that the library calls,
 * and counts the calls.
 */
#include "../harness/real-calls.h"

#include <sys/socket.h>

#define DEPTH 16
#define SIZE 4096
#define READS 1000

static unsigned long receives;

ssize_t
recv (int fd, void *data, size_t count, int flags)
{
  ++receives;
  return real_recv (fd, data, count, flags);
}

ssize_t
recvmsg (int fd, struct msghdr *message, int flags)
{
  ++receives;
  return real_recvmsg (fd, message, flags);
}

static int idle[DEPTH], idle_count;

static int
completion (void *user_data, int *error)
{
  CHECK (*error == 0);
  idle[idle_count++] = (int *) user_data - idle;
  return 1;
}

int
main (void)
{
  static char buffers[DEPTH][SIZE];
  struct nbd_handle *h = connected ("--size", "1M", "--pattern",
                                    "--no-extended-headers");
  struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

  for (int i = 0; i < DEPTH; ++i)
    idle[idle_count++] = i;
  receives = 0;
  for (int issued = 0; issued < READS || idle_count < DEPTH;) {
    while (issued < READS && idle_count > 0) {
      int i = idle[--idle_count];
      nbd_completion_callback callback = { .callback = completion,
                                           .user_data = &idle[i] };

      CHECK (nbd_aio_pread (h, buffers[i], SIZE, issued++ % 256 * SIZE,
                            callback, 0)
             > 0);
    }
    CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
    CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
    CHECK (nbd_aio_notify_read (h) == 0);
  }
  printf ("%lu receives for %d reads\n", receives, READS);
  CHECK (receives <= 2.2 * READS);
  nbd_close (h);
  return 0;
}
