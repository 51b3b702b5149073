/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* System calls that process less than requested, as the system may do at any
 * time. The library calls the functions defined here.
 */
#ifndef HARNESS_SYSTEM_CALLS_H
#define HARNESS_SYSTEM_CALLS_H

#include "real-calls.h"

#include <sys/syscall.h>
#include <sys/uio.h>

static struct {
  size_t most;          /* maximum bytes per call; 0 for no limit */
  unsigned interrupted; /* one call in this many is interrupted; 0 for none */
  unsigned not_ready;
  unsigned state; /* state of the random numbers */
  unsigned faults;
} system_calls;

/* Decides at random, so that no rhythm can keep a call from ever succeeding,
 * but the same in every run.
 */
static inline bool
one_in (unsigned so_many)
{
  unsigned state = __atomic_add_fetch (&system_calls.state, 0x9e3779b9,
                                       __ATOMIC_RELAXED);

  state = (state ^ state >> 16) * 0x21f0aaad;
  state = (state ^ state >> 15) * 0x735a2d97;
  return so_many && (state ^ state >> 15) % so_many == 0;
}

/* Returns the errno of the fault of this call; 0 for none. */
static inline int
system_call_fault (bool may_block)
{
  int fault = 0;

  if (one_in (system_calls.interrupted))
    fault = EINTR;
  else if (may_block && one_in (system_calls.not_ready))
    fault = EAGAIN;
  if (fault)
    __atomic_add_fetch (&system_calls.faults, 1, __ATOMIC_RELAXED);
  return fault;
}

/* Limits a vector to its first bytes; returns the number of elements. */
static inline int
first_bytes (struct iovec *to, const struct iovec *from, int count)
{
  size_t left = system_calls.most ? system_calls.most : SIZE_MAX;
  int n;

  for (n = 0; n < count && n < 64 && left > 0; ++n) {
    to[n] = from[n];
    if (to[n].iov_len > left)
      to[n].iov_len = left;
    left -= to[n].iov_len;
  }
  return n;
}

/* Limits the bytes of one call. */
static inline size_t
at_most (size_t count)
{
  return system_calls.most && system_calls.most < count ? system_calls.most
                                                        : count;
}

ssize_t
recv (int fd, void *data, size_t count, int flags)
{
  int fault = system_call_fault (true);

  if (fault) {
    errno = fault;
    return -1;
  }
  return real_recv (fd, data, at_most (count), flags);
}

ssize_t
send (int fd, const void *data, size_t count, int flags)
{
  int fault = system_call_fault (true);

  if (fault) {
    errno = fault;
    return -1;
  }
  return real_send (fd, data, at_most (count), flags);
}

ssize_t
recvmsg (int fd, struct msghdr *message, int flags)
{
  struct iovec part[64];
  struct msghdr shorter = *message;
  int fault = system_call_fault (true);

  if (fault) {
    errno = fault;
    return -1;
  }
  shorter.msg_iovlen = first_bytes (part, message->msg_iov,
                                    message->msg_iovlen);
  shorter.msg_iov = part;
  return real_recvmsg (fd, &shorter, flags);
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  struct iovec part[64];
  struct msghdr shorter = *message;
  int fault = system_call_fault (true);

  if (fault) {
    errno = fault;
    return -1;
  }
  shorter.msg_iovlen = first_bytes (part, message->msg_iov,
                                    message->msg_iovlen);
  shorter.msg_iov = part;
  return real_sendmsg (fd, &shorter, flags);
}

int
poll (struct pollfd *fds, nfds_t count, int timeout)
{
  int fault = system_call_fault (false);

  if (fault) {
    errno = fault;
    return -1;
  }
  return real_poll (fds, count, timeout);
}

/* glibc implements waitpid with wait4. */
pid_t
waitpid (pid_t pid, int *status, int options)
{
  int fault = system_call_fault (false);

  if (fault) {
    errno = fault;
    return -1;
  }
  return syscall (SYS_wait4, pid, status, options, NULL);
}

#endif /* HARNESS_SYSTEM_CALLS_H */
