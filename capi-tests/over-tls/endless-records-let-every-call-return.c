/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server that sends an endless stream of empty or one-byte records delays no
 * call. RECORDS selects them: tickets or updates (of keys), each of which ends
 * a call; bytes, of which a call handles some; warnings or hellos (requests for
 * another handshake), which end the connection.
 * Source: nbd_poll(3), nbd_aio_notify_read(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-tls.h"

#include <signal.h>

#define LONG_READ (4 * 1024 * 1024)
#define CALLS 300
#define MOST_BYTES 1024

static char data[LONG_READ];
static const char *records;
static int progress; /* progress of both threads */
enum { CONNECTED, QUEUED, ENDLESS, OVER };

static void
reach (int step)
{
  __atomic_store_n (&progress, step, __ATOMIC_RELEASE);
}

static bool
has_reached (int step)
{
  return __atomic_load_n (&progress, __ATOMIC_ACQUIRE) >= step;
}

static bool
are (const char *name)
{
  return strcmp (records, name) == 0;
}

/* Number of records sent before the client receives.  GnuTLS ends a connection
 * with more than 8 updates in a second.
 */
static int
queued (void)
{
  return are ("updates") ? 8 : 100;
}

static bool
send_record (tls_session session)
{
  int r;

  do {
    if (are ("tickets"))
      r = tls.session_ticket_send (session, 1, 0);
    else if (are ("updates"))
      r = tls.session_key_update (session, 0);
    else if (are ("warnings"))
      r = tls.alert_send (session, TLS_ALERT_WARNING, TLS_USER_CANCELED);
    else if (are ("hellos"))
      r = tls.rehandshake (session);
    else
      r = tls.record_send (session, "", 1);
  } while (r == TLS_AGAIN);
  return r >= 0;
}

/* Answers a read with the beginning of a chunk, followed by the records. */
static void *
serve (void *arg)
{
  struct tls_server *server = arg;
  unsigned char header[28];
  struct request request;
  struct bytes chunk = { .count = 0 };

  tls_accept (server, required_setting ("PRIORITY"));
  tls_negotiate (server, LONG_READ);
  tls_receive (server, header, sizeof header);
  request = parse_request (STRUCTURED, header);
  put_chunk_header (&chunk, STRUCTURED, &request, true, REPLY_OFFSET_DATA,
                    8 + LONG_READ);
  put64 (&chunk, 0);
  tls_send (server, &chunk);
  for (int i = 0; i < queued (); ++i)
    CHECK (send_record (server->session));
  reach (QUEUED);
  while (!has_reached (ENDLESS))
    usleep (1000);
  while (!has_reached (OVER) && send_record (server->session))
    ;
  return NULL;
}

static int
completion (void *user_data, int *error)
{
  *(int *) user_data = *error;
  return 1;
}

/* Makes one call, if the server has sent something. */
static int
call (struct nbd_handle *h, bool own_loop, int timeout)
{
  struct pollfd fd = { .fd = nbd_aio_get_fd (h), .events = POLLIN };

  if (!own_loop)
    return nbd_poll (h, timeout);
  if (poll (&fd, 1, timeout) != 1)
    return 0;
  return nbd_aio_notify_read (h) == 0 ? 1 : -1;
}

static void
check (bool own_loop)
{
  struct tls_server server = { .session = NULL };
  struct nbd_handle *h = configured ();
  int error = 0, calls = 0, client = scripted_server ("", 0, &server.peer.fd);
  nbd_completion_callback callback = { .callback = completion,
                                       .user_data = &error };
  pthread_t thread;

  reach (CONNECTED);
  CHECK (pthread_create (&thread, NULL, serve, &server) == 0);
  CHECK (nbd_connect_socket (h, client) == 0);
  CHECK (nbd_aio_pread (h, data, sizeof data, 0, callback, 0) > 0);
  while (!has_reached (QUEUED))
    usleep (1000);

  if (are ("warnings") || are ("hellos")) {
    while (call (h, own_loop, LONG_ENOUGH) == 1)
      CHECK (++calls <= 2);
    CHECK_MESSAGE (are ("hellos") ? "Rehandshake was requested by the peer"
                                  : "A TLS warning alert has been received");
    CHECK (nbd_aio_is_dead (h) == 1);
    CHECK (error == ENOTCONN);
  } else {
    while (call (h, own_loop, 0) == 1)
      ++calls;
    if (!are ("bytes"))
      CHECK (calls >= queued ());
    reach (are ("updates") ? OVER : ENDLESS);
    for (calls = 0; calls < CALLS && !has_reached (OVER); ++calls) {
      uint64_t before = nbd_stats_bytes_received (h);

      CHECK (call (h, own_loop, LONG_ENOUGH) == 1);
      CHECK (nbd_stats_bytes_received (h) - before <= MOST_BYTES);
    }
    CHECK (error == 0);
  }
  reach (OVER);
  nbd_close (h);
  CHECK (pthread_join (thread, NULL) == 0);
  tls_end (&server);
}

int
main (void)
{
  CHECK (signal (SIGPIPE, SIG_IGN) != SIG_ERR);
  load_gnutls ();
  records = required_setting ("RECORDS");
  check (false);
  check (true);
  return 0;
}
