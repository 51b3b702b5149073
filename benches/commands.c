/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads, writes or zeroes with a number of commands in flight: issues commands
 * while there is a free buffer, then waits with nbd_poll or with poll(2). With
 * -c it computes after issuing, and then collects all replies.
 */

#include <libnbd.h>

#include "arguments.h"
#include "client.h"
#include "measure.h"

struct slots {
  long *vacant; /* a stack of the numbers of free buffers */
  long count;
};

struct slot {
  struct slots *slots;
  long number;
};

static int
completed (void *user_data, int *error)
{
  struct slot *slot = user_data;

  fail_if (*error);
  slot->slots->vacant[slot->slots->count++] = slot->number;
  return 1; /* retires the command */
}

static void
in_flight (struct nbd_handle *nbd, const struct arguments *it, char *buffers,
           struct slots *slots, struct slot *all)
{
  bool own = strcmp (it->loop, "own") == 0;
  long issued = 0;

  while (issued < it->operations || slots->count < it->depth) {
    double start = it->compute > 0 ? wall_clock () : 0;

    while (slots->count > 0 && issued < it->operations) {
      struct slot *slot = &all[slots->vacant[--slots->count]];
      nbd_completion_callback callback = { completed, slot, NULL };

      issue (nbd, it, buffers + slot->number * it->size, issued++, callback);
    }
    compute (it->compute);
    do {
      if (own)
        poll_and_notify (nbd);
      else if (nbd_poll (nbd, -1) == -1)
        fail ();
    } while (it->compute > 0 && slots->count < it->depth);
    if (it->compute > 0)
      end_cycle (start);
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
    case OPERATION_MIX: /* only in shared.c */
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
                                      ? 1
                                      : it.depth * it.size);
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
