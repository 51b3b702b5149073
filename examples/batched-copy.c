/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copies a disk to another one with 64 small requests in flight.  With this
 * library the requests are sent together, and a call completes many of them;
 * with the C library the same program sends each one by itself.
 *
 *   cc batched-copy.c $(pkg-config --cflags --libs libnbd) -o batched-copy
 *   ./batched-copy nbd://localhost:10809 nbd://localhost:10810
 *
 * Blocks of zeroes are not sent as data.  On systems with an old C library
 * (glibc before 2.34), add -ldl to the command.
 */

#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd-ext.h>

enum { SLOTS = 64, BLOCK = 16384 };

struct slot {
  char data[BLOCK];
  uint64_t offset;
  size_t length;
};

/* Slots without a request, and slots that have been read and not yet written. */
struct list {
  struct slot *slots[SLOTS];
  size_t count;
};

static struct list vacant, full;

static void
die (const char *what, const char *why)
{
  fprintf (stderr, "batched-copy: %s: %s\n", what, why);
  exit (EXIT_FAILURE);
}

static void
add (struct list *list, struct slot *slot)
{
  list->slots[list->count++] = slot;
}

/* Callbacks must not issue commands, so the main loop does it later. */
static int
read_completed (void *opaque, int *error)
{
  if (*error != 0)
    die ("read", strerror (*error));
  add (&full, opaque);
  return 1; /* retire the command */
}

static int
write_completed (void *opaque, int *error)
{
  if (*error != 0)
    die ("write", strerror (*error));
  add (&vacant, opaque);
  return 1;
}

/* Lets the library send requests together, if it can: libnbd-ext(3). */
static bool
set_batching (struct nbd_handle *nbd)
{
  __typeof__ (nbd_ext_set_batching) *set;

  *(void **) &set = dlsym (RTLD_DEFAULT, "nbd_ext_set_batching");
  if (set != NULL && set (nbd, true) == -1)
    die ("batching", nbd_get_error ());
  return set != NULL;
}

static struct nbd_handle *
open_disk (const char *uri)
{
  struct nbd_handle *nbd = nbd_create ();

  if (nbd == NULL || nbd_connect_uri (nbd, uri) == -1)
    die (uri, nbd_get_error ());
  return nbd;
}

static void
read_block (struct nbd_handle *from, struct slot *slot, uint64_t offset,
            uint64_t size)
{
  nbd_completion_callback callback = { .callback = read_completed,
                                       .user_data = slot };

  slot->offset = offset;
  slot->length = size - offset < BLOCK ? (size_t) (size - offset) : BLOCK;
  if (nbd_aio_pread (from, slot->data, slot->length, offset, callback, 0) == -1)
    die ("read", nbd_get_error ());
}

static void
write_block (struct nbd_handle *to, struct slot *slot)
{
  static const char zeroes[BLOCK];
  nbd_completion_callback callback = { .callback = write_completed,
                                       .user_data = slot };
  int64_t cookie;

  if (nbd_can_zero (to) == 1 && memcmp (slot->data, zeroes, slot->length) == 0)
    cookie = nbd_aio_zero (to, slot->length, slot->offset, callback, 0);
  else
    cookie = nbd_aio_pwrite (to, slot->data, slot->length, slot->offset,
                             callback, 0);
  if (cookie == -1)
    die ("write", nbd_get_error ());
}

/* Waits until one of the connections is ready, and handles its events.  Asking
 * for the direction sends the requests that are queued.
 */
static void
wait_for_either (struct nbd_handle *const nbd[2])
{
  struct pollfd fds[2];

  for (int i = 0; i < 2; i++) {
    unsigned direction = nbd_aio_get_direction (nbd[i]);

    fds[i].fd = nbd_aio_get_fd (nbd[i]);
    fds[i].events = 0;
    if (direction & LIBNBD_AIO_DIRECTION_READ)
      fds[i].events |= POLLIN;
    if (direction & LIBNBD_AIO_DIRECTION_WRITE)
      fds[i].events |= POLLOUT;
  }
  while (poll (fds, 2, -1) == -1)
    if (errno != EINTR)
      die ("poll", strerror (errno));

  for (int i = 0; i < 2; i++) {
    int result = 0;

    /* Read first: it can change what there is to write. */
    if (fds[i].revents & (POLLIN | POLLHUP | POLLERR) && fds[i].events & POLLIN)
      result = nbd_aio_notify_read (nbd[i]);
    else if (fds[i].revents != 0)
      result = nbd_aio_notify_write (nbd[i]);
    if (result == -1)
      die ("connection", nbd_get_error ());
  }
}

static void
copy (struct nbd_handle *from, struct nbd_handle *to, uint64_t size)
{
  struct nbd_handle *const both[2] = { from, to };
  uint64_t offset = 0;

  while (offset < size || vacant.count < SLOTS) {
    for (; offset < size && vacant.count > 0; offset += BLOCK)
      read_block (from, vacant.slots[--vacant.count], offset, size);
    while (full.count > 0)
      write_block (to, full.slots[--full.count]);
    wait_for_either (both);
  }
}

int
main (int argc, char **argv)
{
  static struct slot slots[SLOTS];
  struct nbd_handle *from, *to;
  int64_t size;
  bool batching;

  if (argc != 3)
    die ("usage", "batched-copy FROM TO");
  from = open_disk (argv[1]);
  to = open_disk (argv[2]);
  size = nbd_get_size (from);
  if (size == -1 || nbd_get_size (to) < size)
    die (argv[2], "the disk is too small");
  batching = set_batching (from) && set_batching (to);

  for (int i = 0; i < SLOTS; i++)
    add (&vacant, &slots[i]);
  copy (from, to, (uint64_t) size);
  if (nbd_can_flush (to) == 1 && nbd_flush (to, 0) == -1)
    die (argv[2], nbd_get_error ());
  if (nbd_shutdown (from, 0) == -1 || nbd_shutdown (to, 0) == -1)
    die ("shutdown", nbd_get_error ());
  nbd_close (from);
  nbd_close (to);
  printf ("%" PRIi64 " bytes copied%s\n", size,
          batching ? ", with requests sent together" : "");
  return 0;
}
