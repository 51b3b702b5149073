/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An invalid reply header is detected even if the rest of the reply never
 * arrives, whether it was received alone or together with the previous reply.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer-reads.h"

/* Sends a valid reply and the beginning of one whose data is out of bounds. */
static void
check_offset (bool given, bool own_loop)
{
  struct reads reads;
  struct request requests[2];
  struct bytes bytes = { .count = 0 };
  char zeroes[READ_SIZE] = "";
  int r = 0;

  start_reads (&reads, STRUCTURED, given);
  reads.may_fail = true;
  for (int i = 0; i < 2; ++i) {
    issue_read (&reads, i);
    requests[i] = peer_request (&reads.peer, NULL);
  }
  for (int i = 0; i < 2; ++i) {
    put_chunk_header (&bytes, STRUCTURED, &requests[i], true, REPLY_OFFSET_DATA,
                      8 + READ_SIZE);
    put64 (&bytes, i == 0 ? 0 : 900000);
    if (i == 0)
      put (&bytes, zeroes, READ_SIZE);
  }
  peer_bytes (&reads.peer, &bytes);
  CHECK (nbd_poll (reads.h, LONG_ENOUGH) == 1);
  CHECK (reads.completed == 1);
  if (own_loop) {
    struct pollfd fd = { .fd = nbd_aio_get_fd (reads.h), .events = POLLIN };

    if (nbd_aio_get_direction (reads.h) & LIBNBD_AIO_DIRECTION_WRITE)
      fd.events |= POLLOUT;
    CHECK (poll (&fd, 1, LONG_ENOUGH) == 1);
    r = fd.revents & POLLIN ? nbd_aio_notify_read (reads.h)
                            : nbd_aio_notify_write (reads.h);
  } else
    r = nbd_poll (reads.h, LONG_ENOUGH);
  CHECK (r == -1);
  CHECK (nbd_aio_is_dead (reads.h) == 1);
  CHECK (reads.completed == 2);
  end_reads (&reads);
}

/* Sends a magic that was not negotiated, and some more bytes. */
static void
check_magic (bool given, size_t count)
{
  struct reads reads;
  struct request request;
  struct bytes bytes = { .count = 0 };

  start_reads (&reads, EXTENDED, given);
  reads.may_fail = true;
  issue_read (&reads, 0);
  request = peer_request (&reads.peer, NULL);
  put_simple_reply (&bytes, &request, 0);
  put64 (&bytes, 0);
  put64 (&bytes, 0);
  bytes.count = count;
  peer_bytes (&reads.peer, &bytes);
  CHECK (nbd_poll (reads.h, LONG_ENOUGH) == -1);
  CHECK_MESSAGE ("nbd_poll: invalid or unexpected reply magic 0x67446698");
  CHECK (nbd_aio_is_dead (reads.h) == 1);
  CHECK (reads.completed == 1);
  end_reads (&reads);
}

int
main (void)
{
  for (int given = 0; given < 2; ++given) {
    check_offset (given, false);
    check_offset (given, true);
    for (size_t count = 4; count <= 32; count += 4)
      check_magic (given, count);
  }
  return 0;
}
