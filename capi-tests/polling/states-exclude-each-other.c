/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A handle is in exactly one of the states that a program can query, the
 * description names that state, and the getters work in each of them.
 *
 * Source: nbd_aio_is_created(3) and the pages of the other nbd_aio_is functions,
 * nbd_connection_state(3), nbd_aio_get_direction(3).
 */
#include "../harness/call-arguments.h"

static char states_seen[512];

static void
check (struct nbd_handle *h, int (*expected) (struct nbd_handle *),
       unsigned direction)
{
  int (*const is[]) (struct nbd_handle *) = {
    nbd_aio_is_created, nbd_aio_is_connecting, nbd_aio_is_negotiating,
    nbd_aio_is_ready,   nbd_aio_is_processing, nbd_aio_is_dead,
    nbd_aio_is_closed,
  };
  const char *state = nbd_connection_state (h);
  size_t i, used = strlen (states_seen);

  for (i = 0; i < sizeof is / sizeof is[0]; ++i)
    CHECK (is[i](h) == (is[i] == expected));
  CHECK (nbd_aio_get_direction (h) == direction);
  CHECK (state != NULL && state[0] != '\0');
  CHECK (strstr (states_seen, state) == NULL);
  snprintf (states_seen + used, sizeof states_seen - used, "%s\n", state);
  nbd_close (h);
}

int
main (void)
{
  check (handle_in_state (CREATED), nbd_aio_is_created, 0);
  check (handle_in_state (CONNECTING), nbd_aio_is_connecting,
         LIBNBD_AIO_DIRECTION_READ);
  check (handle_in_state (NEGOTIATING), nbd_aio_is_negotiating, 0);
  check (handle_in_state (CONNECTED), nbd_aio_is_ready,
         LIBNBD_AIO_DIRECTION_READ);
  check (handle_in_state (CLOSED), nbd_aio_is_closed, 0);
  check (handle_in_state (DEAD), nbd_aio_is_dead, 0);
  close (silent_server);
  return 0;
}
