/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Direct system calls, for programs that define recv(2) and similar functions
 * to observe the library's calls and pass them on.
 */
#ifndef HARNESS_REAL_CALLS_H
#define HARNESS_REAL_CALLS_H

#include "commands.h"

#include <poll.h>
#include <sys/syscall.h>

static inline ssize_t
real_recv (int fd, void *data, size_t count, int flags)
{
  return syscall (SYS_recvfrom, fd, data, count, flags, NULL, NULL);
}

static inline ssize_t
real_recvmsg (int fd, struct msghdr *message, int flags)
{
  return syscall (SYS_recvmsg, fd, message, flags);
}

static inline ssize_t
real_send (int fd, const void *data, size_t count, int flags)
{
  return syscall (SYS_sendto, fd, data, count, flags, NULL, 0);
}

static inline ssize_t
real_sendmsg (int fd, const struct msghdr *message, int flags)
{
  return syscall (SYS_sendmsg, fd, message, flags);
}

/* poll(2) is not a system call on newer architectures such as arm64. */
static inline int
real_poll (struct pollfd *fds, nfds_t count, int timeout)
{
  struct timespec limit = { .tv_sec = timeout / 1000,
                            .tv_nsec = timeout % 1000 * 1000000L };

  return ppoll (fds, count, timeout < 0 ? NULL : &limit, NULL);
}

#endif /* HARNESS_REAL_CALLS_H */
