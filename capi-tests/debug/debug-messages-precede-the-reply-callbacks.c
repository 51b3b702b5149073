/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Debug messages about a reply are logged in the call that handles it, before
 * the callbacks of the reply.
 * Source: outcomes of libnbd 1.24.4.
 */
#include "../harness/peer.h"

static struct record record;

static int
on_debug (void *user_data, const char *context, const char *message)
{
  (void) user_data;
  if (strstr (message, "out of order") || strstr (message, "cookie ")) {
    CHECK (strcmp (context, "nbd_poll") == 0);
    record_letter (&record, 'D');
  }
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = STRUCTURED };
  nbd_debug_callback debug = { .callback = on_debug };
  struct bytes payload = { .count = 0 };
  struct request request, unknown;
  char buf[512];

  peer_connect (h, &peer);
  CHECK (nbd_set_debug_callback (h, debug) == 0);
  CHECK (nbd_set_debug (h, true) == 0);
  CHECK (nbd_aio_pread_structured (h, buf, sizeof buf, 0, CHUNK (&record),
                                   COMPLETION (&record), 0)
         == 1);
  request = peer_request (&peer, NULL);

  put32 (&payload, 5);
  put16 (&payload, strlen ("out of order"));
  put (&payload, "out of order", strlen ("out of order"));
  put64 (&payload, 0);
  peer_chunk (&peer, &request, false, REPLY_ERROR_OFFSET, &payload);
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK_RECORD (record, "DM");

  unknown = request;
  unknown.cookie = htobe64 (77);
  peer_chunk (&peer, &unknown, true, REPLY_NONE, NULL);
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK_RECORD (record, "DMD");

  peer_chunk (&peer, &request, true, REPLY_NONE, NULL);
  CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK_RECORD (record, "DMDC");
  CHECK (nbd_set_debug (h, false) == 0);
  nbd_close (h);
  peer_close (&peer);
  return 0;
}
