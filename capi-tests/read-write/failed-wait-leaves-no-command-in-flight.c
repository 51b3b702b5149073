/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If a synchronous call cannot wait for its reply, it fails, and the library no
 * longer uses the buffer: the program may free it.
 * Source: libnbd(3), "Asynchronous commands": only asynchronous commands use their
 * buffer after the call. The C library writes to it even so.
 */
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

/* An oldstyle server of 64 MiB. */
static const unsigned char oldstyle[152] = {
  'N',  'B',  'D', 'M', 'A', 'G', 'I', 'C', 0, 0, 0x42, 0x02, 0x81, 0x86,
  0x12, 0x53, 0,   0,   0,   0,   4,   0,   0, 0, 0,    0,    0,    1,
};

/* The library waits in poll(2) for sockets that the program knows. */
static void
cannot_poll (void)
{
  struct nbd_handle *h = nbd_create ();
  unsigned char reply[16 + 512] = {
    0x67, 0x44, 0x66, 0x98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
  };
  char buf[512];
  int server;

  CHECK (nbd_connect_socket (h, scripted_server (oldstyle, sizeof oldstyle,
                                                 &server))
         == 0);
  out_of_memory = true;
  CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 0, 0), ENOMEM);
  CHECK_MESSAGE ("nbd_pread: poll");
  out_of_memory = false;

  CHECK (nbd_aio_in_flight (h) == 0);
  memset (buf, 'x', sizeof buf);
  memset (reply + 16, 'Z', 512);
  (void) !send (server, reply, sizeof reply, MSG_NOSIGNAL);
  nbd_poll (h, 0);
  for (size_t i = 0; i < sizeof buf; ++i)
    CHECK (buf[i] == 'x');
  nbd_close (h);
  close (server);
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
