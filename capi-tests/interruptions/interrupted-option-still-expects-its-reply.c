/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An option that is interrupted frees its closures and is not forgotten: the
 * handle is connecting until the late reply has arrived, for which no callback
 * is called.  Then the next option works.  The end of the negotiation that is
 * interrupted leaves the handle dead.
 * Source: nbd_ext_set_timeout(3), nbd_ext_cancel(3).
 */
#include "../harness/interruptions.h"
#include "../harness/partial-sends.h"

#define CONTEXT LIBNBD_CONTEXT_BASE_ALLOCATION

static char *queries[] = { CONTEXT, NULL };

static int
on_list (void *user_data, const char *name, const char *description)
{
  (void) name, (void) description;
  record_letter (user_data, 'M');
  return 0;
}

static int
on_context (void *user_data, const char *name)
{
  (void) name;
  record_letter (user_data, 'M');
  return 0;
}

#define LIST(record) \
  ((nbd_list_callback) { .callback = on_list, \
                         .user_data = (record), \
                         .free = record_middle_free })
#define CONTEXT_CALLBACK(record) \
  ((nbd_context_callback) { .callback = on_context, \
                            .user_data = (record), \
                            .free = record_middle_free })

/* An option, and the call that sends it. */
struct negotiation {
  uint32_t option;
  int (*ask) (struct nbd_handle *, void *);
  bool has_closure, ends;
};

static int
ask_go (struct nbd_handle *h, void *record)
{
  (void) record;
  return nbd_opt_go (h);
}

static int
ask_info (struct nbd_handle *h, void *record)
{
  (void) record;
  return nbd_opt_info (h);
}

static int
ask_extended_headers (struct nbd_handle *h, void *record)
{
  (void) record;
  return nbd_opt_extended_headers (h);
}

static int
ask_structured_reply (struct nbd_handle *h, void *record)
{
  (void) record;
  return nbd_opt_structured_reply (h);
}

static int
ask_list (struct nbd_handle *h, void *record)
{
  return nbd_opt_list (h, LIST (record));
}

static int
ask_list_contexts (struct nbd_handle *h, void *record)
{
  return nbd_opt_list_meta_context (h, CONTEXT_CALLBACK (record));
}

static int
ask_list_queries (struct nbd_handle *h, void *record)
{
  return nbd_opt_list_meta_context_queries (h, queries,
                                            CONTEXT_CALLBACK (record));
}

static int
ask_set_contexts (struct nbd_handle *h, void *record)
{
  return nbd_opt_set_meta_context (h, CONTEXT_CALLBACK (record));
}

static int
ask_set_queries (struct nbd_handle *h, void *record)
{
  return nbd_opt_set_meta_context_queries (h, queries,
                                           CONTEXT_CALLBACK (record));
}

static int
abort_negotiation (struct nbd_handle *h, void *record)
{
  (void) record;
  return nbd_opt_abort (h);
}

static int
shut_down (struct nbd_handle *h, void *record)
{
  (void) record;
  return nbd_shutdown (h, 0);
}

static const struct negotiation negotiations[] = {
  { OPT_STRUCTURED_REPLY, ask_structured_reply, false, false },
  { OPT_EXTENDED_HEADERS, ask_extended_headers, false, false },
  { OPT_LIST, ask_list, true, false },
  { OPT_LIST_META_CONTEXT, ask_list_contexts, true, false },
  { OPT_LIST_META_CONTEXT, ask_list_queries, true, false },
  { OPT_SET_META_CONTEXT, ask_set_contexts, true, false },
  { OPT_SET_META_CONTEXT, ask_set_queries, true, false },
  { OPT_INFO, ask_info, false, false },
  { OPT_GO, ask_go, false, true },
};

static void
put_reply (struct bytes *reply, uint32_t option)
{
  switch (option) {
  case OPT_LIST:
    put_option_header (reply, option, REP_SERVER, 6);
    put32 (reply, 2);
    put (reply, "an", 2);
    break;
  case OPT_LIST_META_CONTEXT:
  case OPT_SET_META_CONTEXT:
    put_context (reply, option, 1, CONTEXT);
    break;
  case OPT_INFO:
  case OPT_GO:
    put_export (reply, option, MIB, EVERY_FLAG);
    break;
  }
  put_ack (reply, option);
}

/* Connects up to the negotiation, which has agreed to structured replies. */
static struct nbd_handle *
negotiate (struct peer *peer)
{
  struct nbd_handle *h = in_opt_mode (nbd_create ());
  struct bytes handshake = { .count = 0 };
  int client;

  *peer = (struct peer) { .replies = STRUCTURED };
  CHECK (nbd_set_request_extended_headers (h, false) == 0);
  CHECK (nbd_add_meta_context (h, CONTEXT) == 0);
  CHECK (nbd_set_request_meta_context (h, false) == 0);
  put (&handshake, GREETING_FIXED, GREETING_SIZE);
  put_ack (&handshake, OPT_STRUCTURED_REPLY);
  client = scripted_server (handshake.data, handshake.count, &peer->fd);
  CHECK (nbd_connect_socket (h, client) == 0);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  peer_is_connected (peer);
  return h;
}

static void
receive_option (struct peer *peer, uint32_t number)
{
  struct option option = peer_option (peer);
  char data[256];

  CHECK (option.number == number && option.length <= sizeof data);
  peer_read (peer, data, option.length);
}

/* Of the reply, the first `stop` bytes have arrived before the interruption.
 * Returns false if there are not so many.
 */
static bool
interrupt_option (enum interruption how, const struct negotiation *it,
                  size_t stop)
{
  struct peer peer;
  struct nbd_handle *h = negotiate (&peer);
  struct record record = { .result = 0 };
  struct bytes reply = { .count = 0 };
  size_t letters;

  if (it->option == OPT_STRUCTURED_REPLY || it->option == OPT_EXTENDED_HEADERS)
    put_option_reply (&reply, it->option, REP_ERR (1), "", 0);
  else
    put_reply (&reply, it->option);
  if (stop < reply.count) {
    peer_write (&peer, reply.data, stop);
    interrupt_call (h, how, it->ask, &record);
    CHECK (nbd_aio_is_connecting (h) == 1);
    letters = strlen (record.letters);
    CHECK (letters >= it->has_closure);
    CHECK (!it->has_closure || record.letters[letters - 1] == 'm');
    CHECK_ERROR (it->ask (h, &record), EINVAL);
    letters += it->has_closure;

    receive_option (&peer, it->option);
    peer_write (&peer, reply.data + stop, reply.count - stop);
    while (nbd_aio_is_connecting (h))
      CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
    CHECK (strlen (record.letters) == letters);
    if (it->ends)
      CHECK (nbd_aio_is_ready (h) == 1 && nbd_get_size (h) == MIB);
    else {
      CHECK (nbd_aio_is_negotiating (h) == 1);
      reply.count = 0;
      put_reply (&reply, OPT_LIST);
      peer_bytes (&peer, &reply);
      CHECK (ask_list (h, &record) == 1);
      receive_option (&peer, OPT_LIST);
      CHECK (strlen (record.letters) == letters + 2);
    }
  }
  nbd_close (h);
  peer_close (&peer);
  return stop < reply.count;
}

/* The socket takes a part of NBD_OPT_ABORT, to which no reply is awaited. */
static void
interrupt_abort (enum interruption how, size_t sent)
{
  struct peer peer;
  struct nbd_handle *h = negotiate (&peer);

  unlimited_fd = peer.fd;
  sendable = sent;
  interrupt_call (h, how, abort_negotiation, NULL);
  CHECK (nbd_aio_is_dead (h) == 1);
  sendable = SIZE_MAX;
  nbd_close (h);
  peer_close (&peer);
}

static void
interrupt_shutdown (enum interruption how)
{
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };

  peer_connect (h, &peer);
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) > 0);
  interrupt_call (h, how, shut_down, NULL);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (nbd_aio_in_flight (h) == 0);
  nbd_close (h);
  peer_close (&peer);
}

int
main (void)
{
  for (int how = TIMEOUT; how <= CANCEL; ++how) {
    for (size_t i = 0; i < ITEMS (negotiations); ++i) {
      size_t stop = 0;

      while (interrupt_option (how, &negotiations[i], stop))
        stop += 7;
      CHECK (stop > 0);
    }
    for (size_t sent = 0; sent < OPTION_HEADER_SIZE; ++sent)
      interrupt_abort (how, sent);
    interrupt_shutdown (how);
  }
  return 0;
}
