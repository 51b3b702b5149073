/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A socket that takes only as many bytes as the program allows, and is not
 * writable after that.  The library calls the functions defined here; sockets
 * of the program's servers are not limited.
 */
#ifndef HARNESS_PARTIAL_SENDS_H
#define HARNESS_PARTIAL_SENDS_H

#include "real-calls.h"

/* The socket without a limit, and the number of bytes left for the others. */
static int unlimited_fd = -1;
static size_t sendable = SIZE_MAX;

static inline bool
is_full (int fd)
{
  return fd != unlimited_fd && sendable == 0;
}

static inline ssize_t
count_sent (int fd, ssize_t count)
{
  if (fd != unlimited_fd && count > 0 && sendable != SIZE_MAX)
    sendable -= count;
  return count;
}

static inline ssize_t
refuse_to_send (void)
{
  errno = EAGAIN;
  return -1;
}

ssize_t
send (int fd, const void *data, size_t count, int flags)
{
  if (is_full (fd))
    return refuse_to_send ();
  if (fd != unlimited_fd && count > sendable)
    count = sendable;
  return count_sent (fd, real_send (fd, data, count, flags));
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  struct msghdr shorter = *message;
  struct iovec pieces[64];
  size_t left = sendable, n;

  if (is_full (fd))
    return refuse_to_send ();
  if (fd == unlimited_fd || sendable == SIZE_MAX)
    return real_sendmsg (fd, message, flags);
  for (n = 0; n < message->msg_iovlen && n < ITEMS (pieces) && left > 0; ++n) {
    pieces[n] = message->msg_iov[n];
    if (pieces[n].iov_len > left)
      pieces[n].iov_len = left;
    left -= pieces[n].iov_len;
  }
  shorter.msg_iov = pieces;
  shorter.msg_iovlen = n;
  return count_sent (fd, real_sendmsg (fd, &shorter, flags));
}

int
poll (struct pollfd *fds, nfds_t count, int timeout)
{
  struct pollfd limited[8];
  int ready;

  CHECK (count <= ITEMS (limited));
  for (nfds_t i = 0; i < count; ++i) {
    limited[i] = fds[i];
    if (is_full (fds[i].fd))
      limited[i].events &= ~POLLOUT;
  }
  ready = real_poll (limited, count, timeout);
  for (nfds_t i = 0; i < count; ++i)
    fds[i].revents = limited[i].revents;
  return ready;
}

#endif /* HARNESS_PARTIAL_SENDS_H */
