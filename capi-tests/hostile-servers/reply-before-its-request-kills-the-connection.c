/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server that replies to a partly received request cannot be trusted: the
 * connection is dead, each command in flight completes once with an error, and
 * nothing waits for data that can never be sent.
 * Source: proto.md, "Transmission": a reply answers a request.
 */
#include "../harness/commands.h"

#define SIZE (16 * 1024 * 1024)

static char data[SIZE];

/* An oldstyle server of 64 MiB that sends nothing else. */
static const unsigned char oldstyle[152] = {
  'N',  'B',  'D', 'M', 'A', 'G', 'I', 'C', 0, 0, 0x42, 0x02, 0x81, 0x86,
  0x12, 0x53, 0,   0,   0,   0,   4,   0,   0, 0, 0,    0,    0,    1,
};

static int
done (void *user_data, int *error)
{
  CHECK (*error != 0);
  ++*(int *) user_data;
  return 1;
}

static void
reply_to (unsigned char cookie, int writes)
{
  const unsigned char reply[16] = {
    0x67, 0x44, 0x66, 0x98, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, cookie,
  };
  struct nbd_handle *h = nbd_create ();
  int completed = 0, server;
  nbd_completion_callback completion = {
    .callback = done,
    .user_data = &completed,
  };

  CHECK (nbd_connect_socket (h, scripted_server (oldstyle, sizeof oldstyle,
                                                 &server))
         == 0);
  /* More than the socket accepts, so the first one stays partly unsent. */
  for (int i = 0; i < writes; ++i)
    CHECK (nbd_aio_pwrite (h, data, SIZE, 0, completion, 0) == i + 1);
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_BOTH);
  CHECK (write (server, reply, sizeof reply) == sizeof reply);
  CHECK (nbd_poll (h, -1) == -1);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (completed == writes);
  CHECK (nbd_aio_in_flight (h) == 0);
  nbd_close (h);
  CHECK (completed == writes);
  close (server);
}

int
main (void)
{
  reply_to (1, 1);
  reply_to (1, 2);
  reply_to (2, 2);
  return 0;
}
