/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With batching, commands whose requests are queued complete once, with
 * ENOTCONN, when the connection ends before they are sent; nbd_close sends none of
 * them. Disconnecting sends them first.
 * Source: nbd_ext_set_batching(3).
 */
#include "../harness/batches.h"

#define COMMANDS 20

static int
completion (void *user_data, int *error)
{
  record_letter (user_data, 'C');
  CHECK (*error == ENOTCONN);
  return 1;
}

static struct record record;

static void
queue (struct nbd_handle *h)
{
  nbd_completion_callback callback = { .callback = completion,
                                       .user_data = &record,
                                       .free = record_completion_free };

  memset (&record, 0, sizeof record);
  for (int i = 0; i < COMMANDS; ++i)
    CHECK (nbd_aio_flush (h, callback, 0) > 0);
}

static void
check_completed (void)
{
  for (int i = 0; i < COMMANDS; ++i)
    CHECK (record.letters[2 * i] == 'C' && record.letters[2 * i + 1] == 'c');
  CHECK (strlen (record.letters) == 2 * COMMANDS);
}

static void
close_sends_nothing (void)
{
  struct peer peer = { .replies = SIMPLE };
  struct nbd_handle *h = batching_handle (&peer);
  char byte;

  queue (h);
  nbd_close (h);
  check_completed ();
  CHECK (recv (peer.fd, &byte, 1, 0) == 0);
  peer_close (&peer);
}

static void
server_has_gone (int (*wait) (struct nbd_handle *h))
{
  struct peer peer = { .replies = SIMPLE };
  struct nbd_handle *h = batching_handle (&peer);

  queue (h);
  peer_close (&peer);
  CHECK (nbd_aio_in_flight (h) == COMMANDS);
  CHECK (record.letters[0] == '\0');
  CHECK (wait (h) == -1);
  CHECK (nbd_get_errno () == EPIPE);
  check_completed ();
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK (nbd_aio_get_direction (h) == 0);
  nbd_close (h);
}

static int
poll_forever (struct nbd_handle *h)
{
  return nbd_poll (h, -1);
}

static int
pread_512 (struct nbd_handle *h)
{
  char data[512];

  return nbd_pread (h, data, sizeof data, 0, 0);
}

/* This call does not call callbacks, and the next one reports the error. */
static int
ask_and_wait (struct nbd_handle *h)
{
  for (int i = 0; i < 3; ++i) {
    CHECK (nbd_aio_get_direction (h) & LIBNBD_AIO_DIRECTION_READ);
    CHECK (record.letters[0] == '\0');
  }
  return wait_by_own_loop (h);
}

static int
ask_and_poll (struct nbd_handle *h)
{
  CHECK (nbd_aio_get_direction (h) & LIBNBD_AIO_DIRECTION_READ);
  return nbd_poll (h, -1);
}

static void
disconnect_sends_the_queue_first (bool wait)
{
  struct peer peer = { .replies = SIMPLE };
  struct nbd_handle *h = batching_handle (&peer);

  queue (h);
  peer_hang_up (&peer);
  if (wait)
    CHECK (nbd_shutdown (h, 0) == 0);
  else
    CHECK (nbd_aio_disconnect (h, 0) == 0);
  for (int i = 0; i < COMMANDS; ++i)
    CHECK (peer_request (&peer, NULL).type == NBD_CMD_FLUSH);
  CHECK (peer_request (&peer, NULL).type == NBD_CMD_DISC);
  while (!nbd_aio_is_closed (h))
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  check_completed ();
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  close_sends_nothing ();
  server_has_gone (poll_forever);
  server_has_gone (nbd_ext_send);
  server_has_gone (nbd_aio_notify_read);
  server_has_gone (nbd_aio_notify_write);
  server_has_gone (pread_512);
  server_has_gone (wait_by_own_loop);
  server_has_gone (ask_and_wait);
  server_has_gone (ask_and_poll);
  disconnect_sends_the_queue_first (false);
  disconnect_sends_the_queue_first (true);
  return 0;
}
