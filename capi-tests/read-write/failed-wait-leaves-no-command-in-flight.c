/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If a synchronous call cannot wait for its reply, it fails, and the library no
 * longer uses the buffer: the program may free it.
 * Source: libnbd(3), "Asynchronous commands": only asynchronous commands use their
 * buffer after the call. The C library writes to it even so.
 */
#include "../harness/peer.h"
#include "../harness/real-calls.h"

#include <poll.h>
#include <time.h>

static bool out_of_memory;

/* They replace those of libc. */
ssize_t
recv (int fd, void *data, size_t count, int flags)
{
  if (out_of_memory && !(flags & MSG_DONTWAIT)) {
    errno = ENOMEM;
    return -1;
  }
  return real_recv (fd, data, count, flags);
}

ssize_t
recvmsg (int fd, struct msghdr *message, int flags)
{
  if (out_of_memory && !(flags & MSG_DONTWAIT)) {
    errno = ENOMEM;
    return -1;
  }
  return real_recvmsg (fd, message, flags);
}

int
poll (struct pollfd *fds, nfds_t count, int timeout)
{
  if (out_of_memory) {
    errno = ENOMEM;
    return -1;
  }
  return real_poll (fds, count, timeout);
}

/* The library waits in poll(2) for sockets that the program knows. */
static void
cannot_poll (void)
{
  struct nbd_handle *h = nbd_create ();
  struct bytes reply = { .count = 0 };
  struct peer peer = { .oldstyle = true, .size = 64 * MIB, .flags = 1 };
  char buf[512], data[512] = "data";

  peer_connect (h, &peer);
  out_of_memory = true;
  CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 0, 0), ENOMEM);
  CHECK_MESSAGE ("nbd_pread: poll");
  out_of_memory = false;

  CHECK (nbd_aio_in_flight (h) == 0);
  memset (buf, 'x', sizeof buf);
  put_simple_reply (&reply, &(struct request) { .cookie = htobe64 (1) }, 0);
  put (&reply, data, sizeof data);
  (void) !send (peer.fd, reply.data, reply.count, MSG_NOSIGNAL);
  nbd_poll (h, 0);
  for (size_t i = 0; i < sizeof buf; ++i)
    CHECK (buf[i] == 'x');
  nbd_close (h);
  peer_close (&peer);
}

/* It waits for other sockets by receiving. */
static void
cannot_receive (void)
{
  struct nbd_handle *h = connected ("--size", "1M", "--delay", "20");
  char buf[512];

  out_of_memory = true;
  CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 0, 0), ENOMEM);
  CHECK_MESSAGE ("nbd_pread: recv");
  out_of_memory = false;
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
}

int
main (void)
{
  cannot_poll ();
  cannot_receive ();
  return 0;
}
