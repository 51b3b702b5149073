/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_poll without a timeout, and a program's own loop, return each time a part
 * of a large reply has arrived: other threads need the handle, and a program
 * may want to stop.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

#include <pthread.h>

#define PARTS 16
#define PART (1024 * 1024)

static char data[PARTS * PART];

static void
check (bool own_loop)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE, .size = sizeof data };
  struct record record = { .result = 0 };
  struct request request;
  static char part[PART];
  int64_t cookie;
  int size = PART;

  peer_accept (h, &peer);
  CHECK (setsockopt (peer.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
  cookie = nbd_aio_pread (h, data, sizeof data, 0, COMPLETION (&record), 0);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 0);
  for (int i = 0; i < PARTS; ++i) {
    size_t sent = 0;

    while (sent < sizeof part) {
      ssize_t r = send (peer.fd, part + sent, sizeof part - sent,
                        MSG_NOSIGNAL | MSG_DONTWAIT);

      CHECK (r > 0);
      sent += r;
      CHECK_RECORD (record, "");
      if (own_loop) {
        struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

        while (poll (&fd, 1, 0) == 1 && nbd_aio_in_flight (h) > 0)
          CHECK (nbd_aio_notify_read (h) == 0);
      } else
        do
          CHECK (nbd_poll (h, -1) == 1);
        while (nbd_aio_in_flight (h) > 0 && nbd_poll (h, 0) == 1);
    }
  }
  CHECK_RECORD (record, "C");
  CHECK (nbd_aio_command_completed (h, cookie) == 1);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  check (false);
  check (true);
  return 0;
}
