/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callbacks that nbd_close calls for commands in flight may query the private
 * data and the state of the handle.
 * Source: libnbd(3), "Inside a callback"; seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

static struct nbd_handle *h;
static int completed, freed;

static int
done (void *user_data, int *error)
{
  (void) user_data;
  CHECK (*error == ENOTCONN);
  CHECK (nbd_get_private_data (h) == 1234);
  CHECK (nbd_connection_state (h) != NULL);
  ++completed;
  return 0;
}

static void
release (void *user_data)
{
  (void) user_data;
  CHECK (nbd_get_private_data (h) == 1234);
  CHECK (nbd_connection_state (h) != NULL);
  ++freed;
}

int
main (void)
{
  nbd_completion_callback completion = { .callback = done, .free = release };
  struct peer peer = { .oldstyle = true, .size = 64 * MIB, .flags = 1 };
  char buf[512];

  h = nbd_create ();
  peer_connect (h, &peer);
  nbd_set_private_data (h, 1234);
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, completion, 0) == 1);
  nbd_close (h);
  CHECK (completed == 1);
  CHECK (freed == 1);
  peer_close (&peer);
  return 0;
}
