/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Defines the functions of the C library that move data or wait, and counts the
 * calls. The library uses send(2) for a header without data only.
 */
#ifndef HARNESS_COUNTED_CALLS_H
#define HARNESS_COUNTED_CALLS_H

#include "real-calls.h"

#include <sys/socket.h>
#include <sys/uio.h>

static unsigned long system_calls, headers_sent, receives, sends;

ssize_t
recv (int fd, void *data, size_t count, int flags)
{
  ++system_calls;
  ++receives;
  return real_recv (fd, data, count, flags);
}

ssize_t
recvmsg (int fd, struct msghdr *message, int flags)
{
  ++system_calls;
  ++receives;
  return real_recvmsg (fd, message, flags);
}

ssize_t
send (int fd, const void *data, size_t count, int flags)
{
  ++system_calls;
  ++sends;
  ++headers_sent;
  return real_send (fd, data, count, flags);
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  ++system_calls;
  ++sends;
  return real_sendmsg (fd, message, flags);
}

int
poll (struct pollfd *fds, nfds_t count, int timeout)
{
  ++system_calls;
  return real_poll (fds, count, timeout);
}

#endif /* HARNESS_COUNTED_CALLS_H */
