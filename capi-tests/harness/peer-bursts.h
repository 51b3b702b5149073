/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bursts of requests to a scripted server. */
#ifndef HARNESS_PEER_BURSTS_H
#define HARNESS_PEER_BURSTS_H

#include "peer.h"

#include <sys/wait.h>

/* Maximum delivery time of a request that was sent, in milliseconds. */
#define SOON 2000

/* Does `act` in a child, which has a copy of the handle and must succeed. */
static inline void
in_child (void (*act) (struct nbd_handle *h), struct nbd_handle *h)
{
  pid_t pid = fork ();
  int status;

  CHECK (pid >= 0);
  if (pid == 0) {
    act (h);
    exit (0);
  }
  CHECK (waitpid (pid, &status, 0) == pid);
  CHECK (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

/* For `in_child`: the child only exits. */
static inline void
just_exit (struct nbd_handle *h)
{
  (void) h;
}

static inline void
issue_flush (struct nbd_handle *h)
{
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) > 0);
}

/* Issues count requests. */
static inline void
burst (struct nbd_handle *h, int count)
{
  while (count-- > 0)
    issue_flush (h);
}

static inline bool
arrives (struct peer *peer, int timeout)
{
  struct pollfd fd = { .fd = peer->fd, .events = POLLIN };

  return poll (&fd, 1, timeout) == 1;
}

/* Checks that exactly count requests arrive; they are not answered. */
static inline void
expect_requests (struct peer *peer, int count)
{
  char byte;

  while (count-- > 0) {
    CHECK (arrives (peer, SOON));
    CHECK (peer_request (peer, NULL).type == NBD_CMD_FLUSH);
  }
  /* Nothing more, except perhaps end of file. */
  CHECK (!arrives (peer, 0) || recv (peer->fd, &byte, 1, MSG_PEEK) == 0);
}

/* Many rounds of issuing two requests and waiting with nbd_poll, enough for a
 * library that adapts to the program's behaviour.
 */
static inline void
wait_often_by_nbd_poll (struct nbd_handle *h, struct peer *peer)
{
  for (int i = 0; i < 50; ++i) {
    burst (h, 2);
    CHECK (nbd_poll (h, 0) == 0);
    for (int j = 0; j < 2; ++j) {
      struct request request = peer_request (peer, NULL);

      peer_success (peer, &request);
    }
    wait_for_all (h);
  }
}

/* Returns a connected handle after such rounds. */
static inline struct nbd_handle *
busy_handle (struct peer *peer)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (h != NULL);
  memset (peer, 0, sizeof *peer);
  peer_connect (h, peer);
  wait_often_by_nbd_poll (h, peer);
  return h;
}

#endif /* HARNESS_PEER_BURSTS_H */
