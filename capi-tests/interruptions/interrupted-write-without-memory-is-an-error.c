/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A write of which a part has been sent needs memory for a copy when it is
 * interrupted. Without memory, nbd_ext_aio_cancel fails with ENOMEM, and the
 * command is still in flight. A synchronous write fails with its interruption,
 * and the connection ends, so that its memory may be unmapped.
 * Source: nbd_ext_set_timeout(3), nbd_ext_cancel(3), nbd_ext_aio_cancel(3).
 */
#include "../harness/interruptions.h"
#include "../harness/memory.h"
#include "../harness/partial-sends.h"

#define COUNT (16 * LARGE)

static struct peer peer;
static struct nbd_handle *h;
static char *memory;

static int
run (struct nbd_handle *handle, void *arg)
{
  (void) arg;
  return nbd_pwrite (handle, memory, COUNT, 0, 0);
}

static void
refuse_memory (bool refuses)
{
  allocations = 0;
  first_refused = 1;
  last_refused = refuses ? LONG_MAX : -1;
}

static void
begin (void)
{
  memory = map (COUNT);
  peer = (struct peer) { .replies = SIMPLE };
  h = nbd_create ();
  peer_connect (h, &peer);
  unlimited_fd = peer.fd;
  sendable = 100;
}

static void
end (void)
{
  CHECK (munmap (memory, COUNT) == 0);
  sendable = SIZE_MAX;
  nbd_close (h);
  peer_close (&peer);
}

static void
asynchronous (void)
{
  struct record record = { .result = 0 };
  struct request request;
  int64_t cookie;
  char payload[COUNT];

  begin ();
  cookie = nbd_aio_pwrite (h, memory, COUNT, 0, COMPLETION (&record), 0);
  CHECK (cookie > 0);
  refuse_memory (true);
  CHECK_ERROR (nbd_ext_aio_cancel (h, cookie), ENOMEM);
  refuse_memory (false);
  CHECK_RECORD (record, "");
  CHECK (nbd_aio_in_flight (h) == 1);
  CHECK (nbd_aio_command_completed (h, cookie) == 0);

  sendable = SIZE_MAX;
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  request = peer_request (&peer, payload);
  peer_success (&peer, &request);
  CHECK (wait_for (h, cookie) == 1);
  CHECK_RECORD (record, "Cc");
  end ();
}

static void
synchronous (enum interruption how)
{
  begin ();
  refuse_memory (true);
  interrupt_call (h, how, run, NULL);
  refuse_memory (false);
  CHECK (nbd_aio_is_dead (h) == 1);
  end ();
}

int
main (void)
{
  if (!can_run_out ())
    return 0;
  asynchronous ();
  synchronous (TIMEOUT);
  synchronous (CANCEL);
  return 0;
}
