/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An attacker may close, reset or stall the connection at any byte of the
 * handshake or of the session.  Truncated data never counts as complete: a
 * command has its data or fails, each completes once and each closure is freed
 * once, and the handle is dead, or closed after a close_notify, or can be
 * closed while it waits.
 *
 * Source: RFC 8446, section 6.1; nbd_close(3).  SERVER is a Unix socket.
 */
#include "../harness/peer.h"
#include "../harness/tls.h"

enum ending { STALL, CUT, RESET };

#define SIZE 1024

static unsigned char written[SIZE], back[SIZE];

static int
connect_server (void)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  const char *path = required_setting ("SERVER");
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  CHECK (strncmp (path, "unix:", 5) == 0);
  snprintf (address.sun_path, sizeof address.sun_path, "%s", path + 5);
  CHECK (connect (fd, (struct sockaddr *) &address, sizeof address) == 0);
  return fd;
}

/* Receives at most `most` bytes; returns their number, or -1 at end of file. */
static ssize_t
pass_on (int from, int to, size_t most)
{
  char buffer[4096];
  ssize_t r;

  if (most > sizeof buffer)
    most = sizeof buffer;
  r = recv (from, buffer, most, MSG_DONTWAIT);
  if (r < 0)
    return errno == EAGAIN ? 0 : -1;
  if (r == 0)
    return -1;
  /* The receiver may already be gone. */
  (void) !send (to, buffer, r, MSG_NOSIGNAL);
  return r;
}

/* Runs a session of which only `limit` bytes get through; returns true if that
 * was all of it.
 */
static bool
session (size_t limit, enum ending ending)
{
  struct nbd_handle *h = configured ();
  struct record records[2] = { { .error = -1 }, { .error = -1 } };
  int proxy, server = connect_server ();
  bool issued = false, leaving = false, ended = false, silent = false, whole;
  size_t said = 0;
  int64_t cookie = 0;

  memset (back, 0, sizeof back);
  CHECK (nbd_aio_connect_socket (h, scripted_server ("", 0, &proxy)) == 0);
  for (int idle = 0; idle < 2;) {
    struct pollfd fds[3] = {
      { .fd = nbd_aio_is_dead (h) || nbd_aio_is_closed (h) ? -1
                                                           : nbd_aio_get_fd (h),
        .events = POLLIN },
      { .fd = ended || silent ? -1 : proxy, .events = POLLIN },
      { .fd = ended || said == limit ? -1 : server, .events = POLLIN },
    };
    ssize_t r;

    if (fds[0].fd == -1)
      break;
    if (nbd_aio_is_ready (h) == 1 && !issued) {
      issued = true;
      CHECK (nbd_get_tls_negotiated (h) == 1);
      CHECK (nbd_aio_pwrite (h, written, SIZE, 0, COMPLETION (&records[0]), 0)
             == 1);
      cookie = nbd_aio_pread (h, back, SIZE, 0, COMPLETION (&records[1]), 0);
      /* The write may have detected that the server is gone. */
      CHECK (cookie == 2 || nbd_aio_is_dead (h) == 1);
    }
    if (issued && !leaving && nbd_aio_in_flight (h) == 0) {
      leaving = true;
      nbd_aio_disconnect (h, 0);
    }
    if (nbd_aio_get_direction (h) & LIBNBD_AIO_DIRECTION_WRITE)
      fds[0].events |= POLLOUT;
    /* After a stall nothing more arrives. */
    if (poll (fds, 3, ending == STALL && said == limit ? 0 : LONG_ENOUGH)
        == 0) {
      CHECK (ending == STALL && said == limit);
      ++idle;
      continue;
    }
    if (fds[0].revents & (POLLIN | POLLHUP))
      nbd_aio_notify_read (h);
    else if (fds[0].revents & POLLOUT)
      nbd_aio_notify_write (h);
    if (!ended && !(ending == RESET && said == limit)
        && (fds[1].revents & POLLIN) && pass_on (proxy, server, SIZE_MAX) < 0) {
      /* The client has ended its stream. */
      silent = true;
      /* The server may have gone already. */
      (void) !shutdown (server, SHUT_WR);
    }
    if (fds[2].revents) {
      if ((r = pass_on (server, proxy, limit - said)) < 0) {
        CHECK (close (proxy) == 0);
        ended = true;
      } else
        said += r;
    }
    if (said == limit && ending != STALL && !ended) {
      CHECK (close (proxy) == 0);
      ended = true;
    }
  }
  if (ending != STALL)
    CHECK (nbd_aio_is_dead (h) == 1 || nbd_aio_is_closed (h) == 1);
  nbd_close (h);
  for (size_t i = 0; issued && i < ITEMS (records); ++i) {
    if (i == 1 && cookie == -1)
      CHECK_RECORD (records[i], "c");
    else {
      CHECK_RECORD (records[i], "Cc");
      CHECK (records[i].error == 0 || records[i].error == ENOTCONN);
    }
  }
  if (issued && records[1].error == 0)
    CHECK (memcmp (back, written, SIZE) == 0);
  whole = leaving && said < limit;
  if (whole)
    CHECK (records[0].error == 0 && records[1].error == 0);
  if (!ended)
    CHECK (close (proxy) == 0);
  CHECK (close (server) == 0);
  return whole;
}

int
main (void)
{
  size_t limit = 0, step = getenv ("TEST_UNDER_VALGRIND") ? 397 : 13;
  int cut = 0;

  fill (written, SIZE, 0, 3);
  for (enum ending ending = STALL; !session (limit, ending);
       limit += step, ending = limit % 3)
    CHECK (++cut < 10000);
  CHECK (session (SIZE_MAX, CUT));
  CHECK (cut > 5);
  printf ("%d sessions cut\n", cut);
  return 0;
}
