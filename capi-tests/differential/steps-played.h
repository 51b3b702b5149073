/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps of a sequence with the scripted server. */
#ifndef STEPS_PLAYED_H
#define STEPS_PLAYED_H

#include "steps-connect.h"
#include "played-replies.h"

#include <pthread.h>

/* Returns the events of poll(2) that the library asks for. */
static unsigned
poll_now (void)
{
  unsigned direction = nbd_aio_get_direction (h), now = 0;
  struct pollfd fd = { .events = 0 };

  fd.fd = direction == 0 ? -1 : nbd_aio_get_fd (h);
  if (fd.fd == -1)
    return 0;
  if (direction & LIBNBD_AIO_DIRECTION_READ)
    fd.events |= POLLIN;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    fd.events |= POLLOUT;
  CHECK (poll (&fd, 1, 0) >= 0);
  if (fd.revents & (POLLIN | POLLHUP | POLLERR) && fd.events & POLLIN)
    now |= LIBNBD_AIO_DIRECTION_READ;
  if (fd.revents & POLLOUT)
    now |= LIBNBD_AIO_DIRECTION_WRITE;
  return now;
}

/* Runs one turn of the program's own loop. */
static void
turn_of_own_loop (void)
{
  unsigned now = poll_now ();

  if (now & LIBNBD_AIO_DIRECTION_READ)
    RETURNS (nbd_aio_notify_read, (h), "%s", "");
  else if (now & LIBNBD_AIO_DIRECTION_WRITE)
    RETURNS (nbd_aio_notify_write, (h), "%s", "");
}

/* Any reply not yet sent is sent now. */
static void
send_everything (void)
{
  play_receive ();
  play_send (played.out_count);
}

/* State of the second thread during a synchronous call. */
struct replies_around {
  size_t before, after; /* numbers of replies to other commands */
  int returned;         /* readable once the call has returned */
};

/* Waits for a synchronous command, and sends some other replies, its own, and
 * more other replies, all at once.  The library may refuse to send the command.
 */
static void *
reply_to_sync (void *arg)
{
  const struct replies_around *others = arg;
  struct pollfd fds[2] = {
    { .fd = played.fd, .events = POLLIN },
    { .fd = others->returned, .events = POLLIN },
  };
  struct pollfd writable = { .fd = played.fd, .events = POLLOUT };
  struct outstanding *own;
  size_t i;

  CHECK (poll (fds, 2, 10000) > 0);
  if (fds[0].revents == 0)
    return NULL;
  take_requests (false);
  CHECK (played.count > 0);
  own = &played.requests[played.count - 1];
  for (i = 0; i < others->before && played.count > 1; i++) {
    struct outstanding last = *own;

    say_the_rest (&played.requests[below (played.count - 1)]);
    /* The last request may have moved to the place of the completed one. */
    for (own = played.requests; own->request.cookie != last.request.cookie;)
      own++;
    swap_with_last (own);
    own = &played.requests[played.count - 1];
  }
  say_the_rest (own);
  for (i = 0; i < others->after && played.count > 0; i++)
    say_the_rest (&played.requests[below (played.count)]);
  while (played.out_count > 0 && poll (&writable, 1, 10000) == 1)
    play_send (played.out_count);
  return NULL;
}

static void
play_sync_command (void)
{
  struct replies_around others = { .before = below (3), .after = below (3) };
  int ends[2];
  pthread_t thread;

  /* The reply that it waits for must be able to arrive. */
  if (played.fd == -1 || played.faults || played.over
      || nbd_aio_is_ready (h) != 1)
    return;
  send_everything ();
  if (played.out_count > 0)
    return;
  choose_range ();
  CHECK (pipe (ends) == 0);
  others.returned = ends[0];
  CHECK (pthread_create (&thread, NULL, reply_to_sync, &others) == 0);
  count = 512 * (1 + below (8));
  offset = below (100) * 512;
  flags = 0;
  switch (below (4)) {
  case 0:
    RETURNS (nbd_flush, (h, 0), "%s", "");
    break;
  case 1:
    RETURNS (nbd_trim, (h, count, offset, flags), RANGE);
    break;
  default:
    sync_read (one_in (2));
  }
  CHECK (close (ends[1]) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (close (ends[0]) == 0);
  last_cookie++;
}

/* Issues a write large enough to stay partly unsent. */
static void
issue_large_write (void)
{
  struct buffer *buffer;
  nbd_completion_callback completion;
  int64_t cookie;

  count = MIB;
  offset = 0;
  flags = 0;
  buffer = new_buffer ();
  completion = ANY_COMPLETION (buffer);
  cookie = RETURNS (nbd_aio_pwrite,
                    (h, buffer->bytes, count, offset, completion, flags),
                    RANGE);
  if (cookie > 0)
    last_cookie = cookie;
}

/* Ends the stream as well. */
static void
play_end (void)
{
  if (nbd_aio_is_ready (h) != 1 || played.fd == -1)
    return;
  send_everything ();
  CHECK (shutdown (played.fd, SHUT_WR) == 0);
  RETURNS (nbd_shutdown, (h, 0), "%s", "");
  play_receive ();
}

static void
play_step (void)
{
  struct outstanding *any = played.count > 0
                                ? &played.requests[below (played.count)]
                                : NULL;

  switch (below (24)) {
  case 0:
  case 1:
  case 2:
  case 3:
    issue_command ();
    break;
  case 4:
    if (one_in (4))
      issue_large_write ();
    break;
  case 5:
  case 6:
  case 7:
    call ("server", "receives");
    play_receive ();
    break;
  case 8:
  case 9:
  case 10:
  case 11:
    if (any != NULL && played.faults && one_in (12))
      say_something_wrong (any);
    else if (any != NULL)
      say_something (any);
    break;
  case 12:
    play_send (below (played.out_count + 1));
    break;
  case 13:
  case 14:
    play_send (played.out_count);
    break;
  case 15:
  case 16:
  case 17:
    RETURNS (nbd_poll, (h, 0), "0");
    break;
  case 18:
  case 19:
  case 20:
    turn_of_own_loop ();
    break;
  case 21:
    play_sync_command ();
    break;
  case 22:
    if (one_in (15))
      play_close ();
    else if (one_in (15))
      play_end ();
    else if (one_in (20)) {
      RETURNS (nbd_aio_disconnect, (h, 0), "%s", "");
      played.over = true;
    } else if (one_in (4))
      RETURNS (nbd_aio_notify_write, (h), "%s", "");
    break;
  default:
    retire ();
  }
}

/* Records the state, and whether data can be read. */
static void
print_played_state (void)
{
  print_state ();
  line ("poll(2) says %u", poll_now ());
}

#endif /* STEPS_PLAYED_H */
