/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads, writes or zeroes, with a number of commands in flight, the way that
 * programs do it: commands are issued while there is a free buffer, then the
 * program waits, with nbd_poll or with a poll of its own.
 */

#include <poll.h>
#include <stdbool.h>

#include <libnbd.h>

#include "arguments.h"
#include "measure.h"

struct slots {
  long *vacant; /* a stack of the numbers of free buffers */
  long count;
};

struct slot {
  struct slots *slots;
  long number;
};

static void
fail (void)
{
  fprintf (stderr, "%s\n", nbd_get_error ());
  exit (EXIT_FAILURE);
}

static int
silent (void *user_data, const char *context, const char *message)
{
  return 0;
}

static struct nbd_handle *
connect_handle (const struct arguments *it)
{
  struct nbd_handle *nbd = nbd_create ();
  nbd_debug_callback callback = { .callback = silent };

  if (nbd == NULL)
    fail ();
  if (strcmp (it->debug, "plain") != 0 &&
      nbd_set_debug_callback (nbd, callback) == -1)
    fail ();
  if (nbd_set_debug (nbd, strcmp (it->debug, "on") == 0) == -1 ||
      nbd_set_uri_allow_local_file (nbd, true) == -1 ||
      nbd_connect_uri (nbd, it->target) == -1)
    fail ();
  return nbd;
}

static int
completed (void *user_data, int *error)
{
  struct slot *slot = user_data;

  if (*error != 0) {
    fprintf (stderr, "a command failed: %s\n", strerror (*error));
    exit (EXIT_FAILURE);
  }
  slot->slots->vacant[slot->slots->count++] = slot->number;
  return 1; /* retires the command */
}

static void
issue (struct nbd_handle *nbd, const struct arguments *it, struct slot *slot,
       char *buffer, long n)
{
  nbd_completion_callback callback = { completed, slot, NULL };
  unsigned long offset = offset_of (it, n);
  int64_t cookie = -1;

  switch (it->operation) {
  case OPERATION_READ:
    cookie = nbd_aio_pread (nbd, buffer, it->size, offset, callback, 0);
    break;
  case OPERATION_WRITE:
    cookie = nbd_aio_pwrite (nbd, buffer, it->size, offset, callback, 0);
    break;
  case OPERATION_ZERO:
    cookie = nbd_aio_zero (nbd, it->size, offset, callback, 0);
    break;
  }
  if (cookie == -1)
    fail ();
}

/* The loop of a program that has other descriptors to watch too. */
static void
poll_and_notify (struct nbd_handle *nbd)
{
  unsigned direction = nbd_aio_get_direction (nbd);
  struct pollfd fd = { .fd = nbd_aio_get_fd (nbd) };

  if (direction & LIBNBD_AIO_DIRECTION_READ)
    fd.events |= POLLIN;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    fd.events |= POLLOUT;
  if (poll (&fd, 1, -1) == -1) {
    perror ("poll");
    exit (EXIT_FAILURE);
  }
  if ((direction & LIBNBD_AIO_DIRECTION_READ) &&
      (fd.revents & (POLLIN | POLLHUP))) {
    if (nbd_aio_notify_read (nbd) == -1)
      fail ();
  }
  else if ((direction & LIBNBD_AIO_DIRECTION_WRITE) &&
           (fd.revents & POLLOUT)) {
    if (nbd_aio_notify_write (nbd) == -1)
      fail ();
  }
}

static void
in_flight (struct nbd_handle *nbd, const struct arguments *it, char *buffers,
           struct slots *slots, struct slot *all)
{
  bool own = strcmp (it->loop, "own") == 0;
  long issued = 0;

  while (issued < it->operations || slots->count < it->depth) {
    while (slots->count > 0 && issued < it->operations) {
      struct slot *slot = &all[slots->vacant[--slots->count]];

      issue (nbd, it, slot, buffers + slot->number * it->size, issued++);
    }
    if (own)
      poll_and_notify (nbd);
    else if (nbd_poll (nbd, -1) == -1)
      fail ();
  }
}

static void
one_by_one (struct nbd_handle *nbd, const struct arguments *it, char *buffer)
{
  for (long n = 0; n < it->operations; n++) {
    unsigned long offset = offset_of (it, n);
    int result = -1;

    switch (it->operation) {
    case OPERATION_READ:
      result = nbd_pread (nbd, buffer, it->size, offset, 0);
      break;
    case OPERATION_WRITE:
      result = nbd_pwrite (nbd, buffer, it->size, offset, 0);
      break;
    case OPERATION_ZERO:
      result = nbd_zero (nbd, it->size, offset, 0);
      break;
    }
    if (result == -1)
      fail ();
  }
}

int
main (int argc, char *argv[])
{
  struct arguments it = parse_arguments (argc, argv);
  char *buffers = touched_memory (it.operation == OPERATION_ZERO
                                  ? 1 : it.depth * it.size);
  struct slots slots = { calloc (it.depth, sizeof (long)), 0 };
  struct slot *all = calloc (it.depth, sizeof *all);
  struct nbd_handle *nbd;
  struct moment start;

  if (slots.vacant == NULL || all == NULL)
    return EXIT_FAILURE;
  for (long n = it.depth - 1; n >= 0; n--) {
    all[n] = (struct slot) { &slots, n };
    slots.vacant[slots.count++] = n;
  }
  nbd = connect_handle (&it);

  start = moment_now ();
  if (strcmp (it.loop, "sync") == 0)
    one_by_one (nbd, &it, buffers);
  else
    in_flight (nbd, &it, buffers, &slots, all);
  report_since (start, it.operations, nbd_get_version (nbd));

  if (nbd_shutdown (nbd, 0) == -1)
    fail ();
  nbd_close (nbd);
  free (buffers);
  free (all);
  free (slots.vacant);
  return EXIT_SUCCESS;
}
