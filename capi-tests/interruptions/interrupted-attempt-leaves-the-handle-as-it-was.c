/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If connecting is interrupted before a server has accepted, the handle is as it
 * was before, and connects again.
 * Source: nbd_ext_set_timeout(3), nbd_ext_cancel(3).
 */
#include "../harness/interruptions.h"
#include "../harness/peer-tcp.h"

static struct listener full;

static int
by_tcp (struct nbd_handle *h, void *arg)
{
  (void) arg;
  return nbd_connect_tcp (h, "127.0.0.1", full.port);
}

static int
by_uri (struct nbd_handle *h, void *arg)
{
  char uri[64];

  (void) arg;
  snprintf (uri, sizeof uri, "nbd://127.0.0.1:%s/", full.port);
  return nbd_connect_uri (h, uri);
}

/* Connects to the port until nothing is accepted any more. */
static void
fill (void)
{
  struct pollfd waits = { .events = POLLOUT };

  full = tcp_listen ();
  CHECK (listen (full.fd, 0) == 0);
  do {
    waits.fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK (waits.fd >= 0);
    CHECK (connect (waits.fd, (struct sockaddr *) &full.address,
                    sizeof full.address)
               == 0
           || errno == EINPROGRESS);
  } while (poll (&waits, 1, 50) == 1);
}

int
main (void)
{
  struct listener open = tcp_listen ();

  fill ();
  for (int how = TIMEOUT; how <= CANCEL; ++how) {
    struct nbd_handle *h = nbd_create ();
    struct peer peer = { .replies = SIMPLE };

    CHECK (nbd_set_request_structured_replies (h, false) == 0);
    for (int i = 0; i < 3; ++i) {
      interrupt_call (h, how, by_tcp, NULL);
      CHECK (nbd_aio_is_created (h) == 1);
      interrupt_call (h, how, by_uri, NULL);
      CHECK (nbd_aio_is_created (h) == 1);
      CHECK (nbd_set_export_name (h, "") == 0);
    }
    CHECK (nbd_aio_connect_tcp (h, "127.0.0.1", open.port) == 0);
    peer_accept_on (open.fd, h, &peer);
    nbd_close (h);
    peer_close (&peer);
  }
  close (open.fd);
  return 0;
}
