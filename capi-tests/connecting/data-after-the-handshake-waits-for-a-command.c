/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Data after the handshake, or the end of the stream, does not change the
 * result of connecting: the handle is ready, and the next command detects it.
 * Source: nbd_connect_socket(3); outcomes of libnbd 1.24.4.
 */
#include "../harness/peer.h"

enum after { END, GARBAGE, REPLY };

static void
append (struct bytes *bytes, enum after after)
{
  switch (after) {
  case END:
    break;
  case GARBAGE:
    put32 (bytes, 0xdeadbeef);
    put64 (bytes, 0);
    put32 (bytes, 0);
    break;
  case REPLY: /* an error for the first command */
    put_simple_reply (bytes, &(struct request) { .cookie = htobe64 (1) }, 5);
    break;
  }
}

static void
check_commands (struct nbd_handle *h, enum after after)
{
  char buf[512];

  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_get_size (h) == MIB);
  switch (after) {
  case END:
    CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 0, 0), ENOTCONN);
    break;
  case GARBAGE:
    CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == -1);
    CHECK (nbd_aio_is_dead (h) == 1);
    break;
  case REPLY:
    CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 0, 0), EIO);
    break;
  }
}

/* The server sends everything at once. */
static void
connecting (struct bytes *bytes, enum after after)
{
  struct nbd_handle *h = nbd_create ();
  int server, client;

  append (bytes, after);
  client = scripted_server (bytes->data, bytes->count, &server);
  CHECK (shutdown (server, SHUT_WR) == 0);
  CHECK (nbd_set_request_extended_headers (h, false) == 0);
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_connect_socket (h, client) == 0);
  check_commands (h, after);
  nbd_close (h);
  close (server);
}

/* The same in option mode. */
static void
going (struct bytes *bytes, enum after after)
{
  struct nbd_handle *h = nbd_create ();
  int server, client;

  append (bytes, after);
  client = scripted_server (bytes->data, GREETING_SIZE, &server);
  CHECK (nbd_set_request_extended_headers (h, false) == 0);
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_set_opt_mode (h, true) == 0);
  CHECK (nbd_connect_socket (h, client) == 0);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (write (server, bytes->data + GREETING_SIZE,
                bytes->count - GREETING_SIZE)
         == (ssize_t) bytes->count - GREETING_SIZE);
  CHECK (shutdown (server, SHUT_WR) == 0);
  CHECK (nbd_opt_go (h) == 0);
  check_commands (h, after);
  nbd_close (h);
  close (server);
}

int
main (void)
{
  const struct peer peer = { .replies = SIMPLE, .size = MIB, .flags = 1 };

  for (enum after after = END; after <= REPLY; ++after) {
    struct bytes newstyle = { .count = 0 }, again = { .count = 0 };
    struct bytes oldstyle = { .count = 0 };

    put_handshake (&newstyle, &peer);
    connecting (&newstyle, after);
    put_handshake (&again, &peer);
    going (&again, after);

    put_oldstyle (&oldstyle, MIB, 1);
    connecting (&oldstyle, after);
  }
  return 0;
}
