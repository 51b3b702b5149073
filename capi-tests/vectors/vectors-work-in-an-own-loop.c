/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads into pieces and writes from pieces, with 16 commands in flight, are
 * driven by a poll(2) loop of the program, and complete in any order.
 * Source: nbd_ext_aio_preadv(3), nbd_aio_get_direction(3).
 */
#include "../harness/vectors.h"

#define IN_FLIGHT 16
#define ROUNDS 200

struct slot {
  struct vector v;
  char *data;
  bool reads, busy;
  uint64_t offset;
};

static struct slot slots[IN_FLIGHT];
static struct nbd_handle *h;
static int left = IN_FLIGHT * ROUNDS;

static int
completed (void *user_data, int *error)
{
  struct slot *slot = user_data;

  CHECK (*error == 0);
  if (slot->reads)
    check_vector (&slot->v, slot->data);
  slot->busy = false;
  return 1;
}

/* Reads what the slot has written before, or writes. */
static void
issue (struct slot *slot, unsigned round)
{
  nbd_completion_callback callback = { .callback = completed,
                                       .user_data = slot };
  int64_t cookie;

  slot->reads = !slot->reads;
  slot->busy = true;
  if (slot->reads) {
    fill_vector (&slot->v, 's');
    cookie = nbd_ext_aio_preadv (h, slot->v.iov, slot->v.count, slot->offset,
                                 callback, 0);
  } else {
    for (size_t i = 0; i < slot->v.length; ++i)
      slot->data[i] = round + i * 7;
    put_in_vector (&slot->v, slot->data);
    cookie = nbd_ext_aio_pwritev (h, slot->v.iov, slot->v.count, slot->offset,
                                  callback, 0);
  }
  CHECK (cookie > 0);
}

static void
wait_in_own_loop (void)
{
  unsigned direction = nbd_aio_get_direction (h);
  struct pollfd fd = { .fd = nbd_aio_get_fd (h) };

  if (direction & LIBNBD_AIO_DIRECTION_READ)
    fd.events |= POLLIN;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    fd.events |= POLLOUT;
  CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
  if (fd.revents & POLLIN)
    CHECK (nbd_aio_notify_read (h) == 0);
  else if (fd.revents & POLLOUT)
    CHECK (nbd_aio_notify_write (h) == 0);
}

int
main (void)
{
  h = connected ("--size", "64M", "--shuffle", "4", "--read-chunks", "3000");
  for (int i = 0; i < IN_FLIGHT; ++i) {
    size_t lengths[40];

    for (size_t j = 0; j < ITEMS (lengths); ++j)
      lengths[j] = (i + j) % 9 * 77 * (i % 4 + 1);
    make_vector (&slots[i].v, lengths, ITEMS (lengths));
    CHECK ((slots[i].data = malloc (slots[i].v.length)) != NULL);
    slots[i].offset = i * MIB + 13;
    slots[i].reads = true;
  }
  while (left > 0) {
    for (int i = 0; i < IN_FLIGHT; ++i)
      if (!slots[i].busy && left > 0)
        issue (&slots[i], left--);
    wait_in_own_loop ();
  }
  while (nbd_aio_in_flight (h) > 0)
    wait_in_own_loop ();
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  for (int i = 0; i < IN_FLIGHT; ++i) {
    free_vector (&slots[i].v);
    free (slots[i].data);
  }
  return 0;
}
