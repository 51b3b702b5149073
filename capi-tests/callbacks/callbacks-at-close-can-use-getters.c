/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callbacks that nbd_close calls for commands in flight may query the private
 * data and the state of the handle.
 * Source: libnbd(3), "Inside a callback"; seen with libnbd 1.24.4.
 */
#include "../harness/commands.h"

/* An oldstyle server of 64 MiB, which never replies. */
static const unsigned char oldstyle[152] = {
  'N',  'B',  'D', 'M', 'A', 'G', 'I', 'C', 0, 0, 0x42, 0x02, 0x81, 0x86,
  0x12, 0x53, 0,   0,   0,   0,   4,   0,   0, 0, 0,    0,    0,    1,
};

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
  char buf[512];
  int server;

  h = nbd_create ();
  CHECK (nbd_connect_socket (h, scripted_server (oldstyle, sizeof oldstyle,
                                                 &server))
         == 0);
  nbd_set_private_data (h, 1234);
  CHECK (nbd_aio_pread (h, buf, sizeof buf, 0, completion, 0) == 1);
  nbd_close (h);
  CHECK (completed == 1);
  CHECK (freed == 1);
  close (server);
  return 0;
}
