/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A conversation with a server, recorded once and then played back up to any
 * byte: the server's bytes, and the number of client bytes before each of them.
 * The program is the server, so nothing blocks and nothing depends on time.
 */
#ifndef HARNESS_PEER_REPLAY_H
#define HARNESS_PEER_REPLAY_H

#include "peer.h"

#define MAX_SAID 65536
#define MAX_TURNS 256

/* The server sends its bytes up to `until` after `heard` bytes of the client.
 */
struct turn {
  size_t heard, until;
};

struct recording {
  unsigned char said[MAX_SAID];
  size_t count;
  struct turn turns[MAX_TURNS];
  size_t nr_turns;
  size_t heard;
};

/* The end of the playback. */
enum ending { STALL, CLOSE, RESET, GOES_ON };

/* Forwards available data in one direction; false at end of file. */
static inline bool
pass_on (int from, int to, unsigned char *copy, size_t room, size_t *count)
{
  unsigned char buffer[4096];
  ssize_t r = recv (from, buffer, sizeof buffer, MSG_DONTWAIT);

  *count = 0;
  if (r <= 0)
    return r < 0 && errno == EAGAIN;
  if (copy) {
    CHECK ((size_t) r <= room);
    memcpy (copy, buffer, r);
  }
  CHECK (send (to, buffer, r, MSG_NOSIGNAL) == r);
  *count = r;
  return true;
}

/* Connects the handle, which has begun to connect over the other end of
 * `client`, with the server until `session` reports that it is done.
 */
static inline void
record (struct recording *recording, struct nbd_handle *h, int client,
        char **argv, bool (*session) (struct nbd_handle *, void *), void *data)
{
  pid_t pid;
  int server = server_on_socket (argv, &pid);
  bool open = true;

  memset (recording, 0, sizeof *recording);
  while (!session (h, data)) {
    struct pollfd fds[3] = {
      { .fd = nbd_aio_get_fd (h), .events = POLLIN },
      { .fd = client, .events = POLLIN },
      { .fd = open ? server : -1, .events = POLLIN },
    };
    size_t count;

    if (nbd_aio_get_direction (h) & LIBNBD_AIO_DIRECTION_WRITE)
      fds[0].events |= POLLOUT;
    CHECK (poll (fds, 3, LONG_ENOUGH) > 0);
    if (fds[0].revents & POLLIN)
      CHECK (nbd_aio_notify_read (h) == 0);
    else if (fds[0].revents & POLLOUT)
      CHECK (nbd_aio_notify_write (h) == 0);
    /* If the handle has closed its end, the session is done. */
    pass_on (client, server, NULL, 0, &count);
    recording->heard += count;
    count = 0;
    if (open) {
      open = pass_on (server, client, recording->said + recording->count,
                      MAX_SAID - recording->count, &count);
      if (!open)
        CHECK (shutdown (client, SHUT_WR) == 0);
    }
    if (count > 0) {
      CHECK (recording->nr_turns < MAX_TURNS);
      recording->count += count;
      recording->turns[recording->nr_turns++] = (struct turn) {
        .heard = recording->heard,
        .until = recording->count,
      };
    }
  }
  CHECK (close (server) == 0);
  CHECK (waitpid (pid, NULL, 0) == pid);
}

struct playback {
  const struct recording *recording;
  int client;         /* the server's end */
  size_t limit, step; /* total bytes to send, and bytes per step */
  enum ending ending;
  size_t said, heard;
  bool ended;
};

/* Sends the bytes that are due, and ends as requested; returns true if it did
 * anything.
 */
static inline bool
play (struct playback *p)
{
  static char discard[65536];
  const struct recording *recording = p->recording;
  size_t until = 0;
  ssize_t r;
  bool done = false;

  if (p->ended)
    return false;
  /* Closing a socket before everything was read resets it. */
  while (!(p->ending == RESET && p->said == p->limit)
         && (r = recv (p->client, discard, sizeof discard, MSG_DONTWAIT)) > 0) {
    p->heard += r;
    done = true;
  }
  for (size_t i = 0;
       i < recording->nr_turns && recording->turns[i].heard <= p->heard; ++i)
    until = recording->turns[i].until;
  if (until > p->limit)
    until = p->limit;
  if (until > p->said && until - p->said > p->step)
    until = p->said + p->step;
  if (until > p->said) {
    r = send (p->client, recording->said + p->said, until - p->said,
              MSG_NOSIGNAL | MSG_DONTWAIT);
    /* The handle may have disconnected before. */
    if (r <= 0)
      return done;
    p->said += r;
    done = true;
  }
  if (p->said == p->limit && (p->ending == CLOSE || p->ending == RESET)) {
    close (p->client);
    p->ended = done = true;
  }
  return done;
}

#endif /* HARNESS_PEER_REPLAY_H */
