/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_connection_state returns a text that begins with the name of the state,
 * which error messages use too.  The text after the colon is human-readable.
 * Source: nbd_connection_state(3); the names are those of libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

static void
check_state (struct nbd_handle *h, const char *name)
{
  const char *state = nbd_connection_state (h);
  size_t length = strlen (name);

  CHECK (strncmp (state, name, length) == 0);
  CHECK (strncmp (state + length, ": ", 2) == 0);
  CHECK (strlen (state) > length + 2);
}

/* Connects to a server that stops after `count` bytes of its handshake. */
static void
check_handshake (struct script *s, size_t count, const char *name)
{
  struct nbd_handle *h = nbd_create ();
  int server;

  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_aio_connect_socket (h,
                                 scripted_server (s->says.data, count, &server))
         == 0);
  handle_arrivals (h);
  check_state (h, name);
  nbd_close (h);
  close (server);
}

static void
check_handshakes (void)
{
  struct script s = script_begin (GREETING_FIXED, false);

  put_export (&s.says, OPT_GO, MIB, 1);
  put_ack (&s.says, OPT_GO);
  check_handshake (&s, 0, "MAGIC.RECV_MAGIC");
  check_handshake (&s, 16, "NEWSTYLE.RECV_GFLAGS");
  check_handshake (&s, 18, "NEWSTYLE.OPT_GO.RECV_REPLY");
  check_handshake (&s, 18 + 20, "NEWSTYLE.OPT_GO.RECV_REPLY_PAYLOAD");
  check_handshake (&s, 18 + 32, "NEWSTYLE.OPT_GO.RECV_REPLY");
  check_handshake (&s, 18 + 52, "READY");
  nbd_close (s.h);
}

/* The socket is full of a write's data. */
static void
check_write (void)
{
  static char data[16 * MIB];
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };

  peer_connect (h, &peer);
  CHECK (nbd_set_strict_mode (h, 0) == 0);
  CHECK (nbd_aio_pwrite (h, data, sizeof data, 0, NBD_NULL_COMPLETION, 0) > 0);
  check_state (h, "ISSUE_COMMAND.SEND_WRITE_PAYLOAD");
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  check_state (h, "START");
  connect_handle (h, server_command ("--size", "1M"));
  check_state (h, "READY");
  CHECK (nbd_shutdown (h, 0) == 0);
  check_state (h, "CLOSED");
  nbd_close (h);
  h = connected ("--bad-magic", "reply");
  CHECK (nbd_flush (h, 0) == -1);
  check_state (h, "DEAD");
  nbd_close (h);
  h = negotiating ("--size", "1M");
  check_state (h, "NEGOTIATING");
  nbd_close (h);
  check_handshakes ();
  check_write ();
  return 0;
}
