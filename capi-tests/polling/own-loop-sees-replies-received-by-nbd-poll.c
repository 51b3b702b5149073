/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that waited with nbd_poll and then runs its own loop misses no
 * reply: the loop wakes for each, and each call handles one.
 * Source: nbd_aio_get_direction(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-reads.h"

enum notify { EITHER, ONLY_WRITE, EACH };

/* Runs one turn of a level-triggered loop. */
static void
turn (struct nbd_handle *h, enum notify notify)
{
  struct pollfd fd = { .fd = nbd_aio_get_fd (h) };
  unsigned direction = nbd_aio_get_direction (h);

  if (direction & LIBNBD_AIO_DIRECTION_READ)
    fd.events |= POLLIN;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    fd.events |= POLLOUT;
  CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
  if (fd.revents & POLLIN && !(notify == ONLY_WRITE && fd.revents & POLLOUT))
    CHECK (nbd_aio_notify_read (h) == 0);
  if (fd.revents & POLLOUT && (notify != EITHER || !(fd.revents & POLLIN)))
    CHECK (nbd_aio_notify_write (h) == 0);
}

static void
check (enum replies replies, int polls, enum notify notify)
{
  struct reads reads;
  struct request request;
  int before;

  start_reads (&reads, replies, false);
  issue_and_answer (&reads, READS - 1);
  while (polls-- > 0)
    CHECK (nbd_poll (reads.h, LONG_ENOUGH) == 1);
  while (reads.completed < READS - 1) {
    before = reads.completed;
    turn (reads.h, notify);
    CHECK (reads.completed <= before + 1 + (notify == EACH));
  }
  check_data (&reads, READS - 1);
  CHECK (nbd_aio_get_direction (reads.h) == LIBNBD_AIO_DIRECTION_READ);

  /* From now on, all data stays in the socket. */
  issue_read (&reads, READS - 1);
  request = peer_request (&reads.peer, NULL);
  answer_read (&reads, &request);
  CHECK (nbd_aio_get_direction (reads.h) == LIBNBD_AIO_DIRECTION_READ);
  turn (reads.h, notify);
  CHECK (reads.completed == READS);
  check_data (&reads, READS);
  CHECK_ERROR (nbd_aio_notify_write (reads.h), EINVAL);
  end_reads (&reads);
}

int
main (void)
{
  for (enum replies replies = SIMPLE; replies <= EXTENDED; ++replies)
    for (int polls = 0; polls < READS - 1; polls += 3) {
      check (replies, polls, EITHER);
      check (replies, polls, ONLY_WRITE);
      check (replies, polls, EACH);
    }
  return 0;
}
