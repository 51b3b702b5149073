/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values that the kernel would not accept are refused when they are set, with a
 * message that has the range, and leave the previous ones in effect.  Zeroes are
 * the default.
 *
 * Source: nbd_ext_set_keepalive(3), nbd_ext_set_user_timeout(3).
 */
#include "../harness/peer-tcp.h"

#include <limits.h>

static void
check_keepalive (struct nbd_handle *h, int idle, int interval, int count)
{
  int got[3] = { -1, -1, -1 };

  CHECK (nbd_ext_get_keepalive (h, &got[0], &got[1], &got[2]) == 0);
  CHECK (got[0] == idle && got[1] == interval && got[2] == count);
}

int
main (void)
{
  const struct {
    int idle, interval, count;
    const char *message;
  } wrong[] = {
    { 0, 1, 1, "idle should be from 1 to 32767, not 0" },
    { -1, 1, 1, "idle should be from 1 to 32767, not -1" },
    { 32768, 1, 1, "idle should be from 1 to 32767, not 32768" },
    { 1, 0, 1, "interval should be from 1 to 32767, not 0" },
    { 1, 32768, 1, "interval should be from 1 to 32767, not 32768" },
    { 1, INT_MIN, 1, "interval should be from 1 to 32767, not -2147483648" },
    { 1, 1, 0, "count should be from 1 to 127, not 0" },
    { 1, 1, 128, "count should be from 1 to 127, not 128" },
    { 1, 1, INT_MAX, "count should be from 1 to 127, not 2147483647" },
  };
  struct nbd_handle *h = nbd_create ();
  struct listener l = tcp_listen ();
  struct peer peer = { .replies = SIMPLE };
  size_t i;

  CHECK (h != NULL);
  check_keepalive (h, 0, 0, 0);
  CHECK (nbd_ext_get_user_timeout (h) == 0);

  CHECK (nbd_ext_set_keepalive (h, 1, 32767, 127) == 0);
  check_keepalive (h, 1, 32767, 127);
  CHECK (nbd_ext_set_keepalive (h, 32767, 1, 1) == 0);
  for (i = 0; i < ITEMS (wrong); ++i) {
    CHECK_ERROR (nbd_ext_set_keepalive (h, wrong[i].idle, wrong[i].interval,
                                        wrong[i].count),
                 EINVAL);
    CHECK_MESSAGE (wrong[i].message);
    check_keepalive (h, 32767, 1, 1);
  }

  CHECK (nbd_ext_set_user_timeout (h, INT_MAX) == 0);
  CHECK_ERROR (nbd_ext_set_user_timeout (h, -1), EINVAL);
  CHECK_MESSAGE ("milliseconds should be from 0 to 2147483647, not -1");
  CHECK (nbd_ext_get_user_timeout (h) == INT_MAX);

  /* The kernel accepts the largest and the smallest values. */
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_aio_connect_tcp (h, "127.0.0.1", l.port) == 0);
  peer_accept_on (l.fd, h, &peer);
  check_keepalive (h, 32767, 1, 1);
  nbd_close (h);
  close (peer.fd);

  h = nbd_create ();
  CHECK (nbd_ext_set_keepalive (h, 1, 32767, 127) == 0);
  CHECK (nbd_ext_set_keepalive (h, 0, 0, 0) == 0);
  CHECK (nbd_ext_set_user_timeout (h, 1) == 0);
  CHECK (nbd_ext_set_user_timeout (h, 0) == 0);
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_aio_connect_tcp (h, "127.0.0.1", l.port) == 0);
  peer_accept_on (l.fd, h, &peer);
  CHECK (option_of (nbd_aio_get_fd (h), SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK (option_of (nbd_aio_get_fd (h), IPPROTO_TCP, TCP_USER_TIMEOUT) == 0);
  nbd_close (h);
  close (peer.fd);
  close (l.fd);
  return 0;
}
