/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Uses several connections to one disk, from one thread with poll(2).  Fills the
 * disk over all of them, flushes once, and checks that each one sees the writes
 * of the others.
 *
 *   cc multi-conn.c $(pkg-config --cflags --libs libnbd) -o multi-conn
 *   ./multi-conn nbd://localhost
 *
 * Everything on the disk is overwritten.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd.h>

enum { CONNECTIONS = 4, EACH = 16, BLOCK = 65536 };

static void
die (const char *what, const char *why)
{
  fprintf (stderr, "multi-conn: %s: %s\n", what, why);
  exit (EXIT_FAILURE);
}

static int
complete (void *opaque, int *error)
{
  (void) opaque;
  if (*error != 0)
    die ("request", strerror (*error));
  return 1; /* retire the command */
}

/* Waits until any of the connections is ready, and handles its events. */
static void
wait_for_any (struct nbd_handle **nbd, nfds_t count)
{
  struct pollfd fds[CONNECTIONS];

  for (nfds_t i = 0; i < count; i++) {
    unsigned direction = nbd_aio_get_direction (nbd[i]);

    fds[i].fd = nbd_aio_get_fd (nbd[i]);
    fds[i].events = 0;
    fds[i].revents = 0;
    if (direction & LIBNBD_AIO_DIRECTION_READ)
      fds[i].events |= POLLIN;
    if (direction & LIBNBD_AIO_DIRECTION_WRITE)
      fds[i].events |= POLLOUT;
  }
  while (poll (fds, count, -1) == -1)
    if (errno != EINTR)
      die ("poll", strerror (errno));

  for (nfds_t i = 0; i < count; i++) {
    /* Read first: it can change what there is to write. */
    int result = 0;

    if (fds[i].revents & (POLLIN | POLLHUP | POLLERR) && fds[i].events & POLLIN)
      result = nbd_aio_notify_read (nbd[i]);
    else if (fds[i].revents != 0)
      result = nbd_aio_notify_write (nbd[i]);
    if (result == -1)
      die ("connection", nbd_get_error ());
  }
}

static uint64_t
in_flight (struct nbd_handle **nbd, nfds_t count)
{
  uint64_t sum = 0;

  for (nfds_t i = 0; i < count; i++)
    sum += (uint64_t) nbd_aio_in_flight (nbd[i]);
  return sum;
}

int
main (int argc, char **argv)
{
  struct nbd_handle *nbd[CONNECTIONS];
  static char data[BLOCK], back[BLOCK];
  nbd_completion_callback callback = { .callback = complete };
  nfds_t count = 0;
  int64_t size = 0;

  if (argc != 2)
    die ("usage", "multi-conn URI");

  /* Ask one connection if several are safe: the server then promises that a
   * flush on any of them covers writes on all, and that all see the same data.
   */
  do {
    nbd[count] = nbd_create ();
    if (nbd[count] == NULL || nbd_connect_uri (nbd[count], argv[1]) == -1)
      die (argv[1], nbd_get_error ());
    count++;
  } while (count < CONNECTIONS && nbd_can_multi_conn (nbd[0]) == 1);
  if ((size = nbd_get_size (nbd[0])) == -1)
    die (argv[1], nbd_get_error ());

  /* Each block goes to the first connection with a free slot. */
  memset (data, 0x5a, sizeof data);
  for (uint64_t offset = 0; offset < (uint64_t) size;) {
    uint64_t before = offset;

    for (nfds_t i = 0; i < count && offset < (uint64_t) size; i++) {
      uint64_t left = (uint64_t) size - offset;
      size_t length = left < BLOCK ? (size_t) left : BLOCK;

      if (nbd_aio_in_flight (nbd[i]) >= EACH)
        continue;
      /* All writes can share the buffer: it does not change. */
      if (nbd_aio_pwrite (nbd[i], data, length, offset, callback, 0) == -1)
        die (argv[1], nbd_get_error ());
      offset += length;
    }
    if (offset == before)
      wait_for_any (nbd, count);
  }
  /* A flush covers completed writes only, not those in flight. */
  while (in_flight (nbd, count) > 0)
    wait_for_any (nbd, count);
  if (nbd_can_flush (nbd[0]) == 1 && nbd_flush (nbd[0], 0) == -1)
    die (argv[1], nbd_get_error ());

  for (uint64_t offset = 0; offset < (uint64_t) size; offset += BLOCK) {
    uint64_t left = (uint64_t) size - offset;
    size_t length = left < BLOCK ? (size_t) left : BLOCK;
    /* Usually not the connection that wrote it. */
    struct nbd_handle *other = nbd[offset / BLOCK / EACH % count];

    if (nbd_pread (other, back, length, offset, 0) == -1)
      die (argv[1], nbd_get_error ());
    if (memcmp (data, back, length) != 0)
      die (argv[1], "what was written did not come back");
  }
  printf ("%" PRIi64 " bytes written and read over %u connections\n", size,
          (unsigned) count);

  for (nfds_t i = 0; i < count; i++) {
    if (nbd_shutdown (nbd[i], 0) == -1)
      die (argv[1], nbd_get_error ());
    nbd_close (nbd[i]);
  }
  return EXIT_SUCCESS;
}
