/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rest of a write cannot be sent, since the server receives no more, while
 * another thread receives and is slow to detect that.  The writing thread waits
 * for the other one, which ends the connection, without retrying the socket;
 * then it fails with the error of the socket.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/peer.h"
#include "../harness/real-calls.h"

#include <pthread.h>
#include <sys/syscall.h>

#define LARGE (32 << 20)

static struct nbd_handle *h;
static struct peer peer;
static int polls, waits_for_room;

/* The library calls these. */
int
poll (struct pollfd *fds, nfds_t count, int timeout)
{
  __atomic_add_fetch (&polls, 1, __ATOMIC_RELAXED);
  for (nfds_t i = 0; i < count; i++)
    if (fds[i].events & POLLOUT)
      __atomic_store_n (&waits_for_room, 1, __ATOMIC_RELAXED);
  return real_poll (fds, count, timeout);
}

static ssize_t
slow_at_the_end (ssize_t received)
{
  if (received == 0)
    usleep (200000);
  return received;
}

ssize_t
recvmsg (int fd, struct msghdr *message, int flags)
{
  return slow_at_the_end (real_recvmsg (fd, message, flags));
}

ssize_t
read (int fd, void *buf, size_t count)
{
  return slow_at_the_end (syscall (SYS_read, fd, buf, count));
}

static void *
read_data (void *arg)
{
  char buf[512];

  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == -1);
  return arg;
}

static void *
write_large (void *large)
{
  CHECK_ERROR (nbd_pwrite (h, large, LARGE, 4096, 0), EPIPE);
  CHECK_MESSAGE ("nbd_pwrite: send: ");
  return NULL;
}

int
main (void)
{
  char *large = calloc (2, LARGE);
  pthread_t reader, writer;

  h = nbd_create ();
  peer.size = 64 << 20;
  peer_accept (h, &peer);
  CHECK (pthread_create (&reader, NULL, read_data, NULL) == 0);
  peer_request (&peer, NULL);
  usleep (20000); /* most likely it receives by now */
  CHECK (pthread_create (&writer, NULL, write_large, large) == 0);
  /* A write that detects it in nbd_pwrite's first attempt to send fails with
   * ENOTCONN. */
  while (!__atomic_load_n (&waits_for_room, __ATOMIC_RELAXED))
    usleep (1000);
  CHECK (shutdown (peer.fd, SHUT_RD) == 0);
  /* This makes space. */
  while (recv (peer.fd, large + LARGE, LARGE, MSG_DONTWAIT) > 0)
    ;
  CHECK (pthread_join (writer, NULL) == 0);
  CHECK (pthread_join (reader, NULL) == 0);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (polls < 100);
  nbd_close (h);
  peer_close (&peer);
  free (large);
  return 0;
}
