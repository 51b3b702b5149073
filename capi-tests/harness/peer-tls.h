/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A scripted server with TLS, which can send records that real servers do not
 * send.  It loads GnuTLS like the library, so that a program needs none of its
 * headers.
 */
#ifndef HARNESS_PEER_TLS_H
#define HARNESS_PEER_TLS_H

#include "peer.h"
#include "tls.h"

#include <dlfcn.h>
#include <pthread.h>

/* Constants of GnuTLS. */
#define TLS_SERVER 1
#define TLS_CREDENTIALS_PSK 4
#define TLS_ALERT_WARNING 1
#define TLS_USER_CANCELED 90
#define TLS_AGAIN (-28)

typedef struct tls_session *tls_session;

struct tls_datum {
  unsigned char *data;
  unsigned size;
};

typedef ssize_t (*tls_push) (void *, const void *, size_t);

/* The GnuTLS functions that the server needs. */
static struct {
  int (*init) (tls_session *, unsigned flags);
  void (*deinit) (tls_session);
  int (*priority_set_direct) (tls_session, const char *, const char **);
  int (*credentials_set) (tls_session, int type, void *);
  int (*psk_allocate_server_credentials) (void **);
  void (*psk_free_server_credentials) (void *);
  int (*psk_set_server_credentials_file) (void *, const char *);
  void (*transport_set_int2) (tls_session, int receive, int send);
  int (*handshake) (tls_session);
  ssize_t (*record_recv) (tls_session, void *, size_t);
  ssize_t (*record_send) (tls_session, const void *, size_t);
  int (*alert_send) (tls_session, int level, int description);
  int (*rehandshake) (tls_session);
  int (*session_key_update) (tls_session, unsigned flags);
  int (*session_ticket_key_generate) (struct tls_datum *);
  int (*session_ticket_enable_server) (tls_session, const struct tls_datum *);
  int (*session_ticket_send) (tls_session, unsigned count, unsigned flags);
} tls;

static inline void
load_gnutls (void)
{
  void *library = dlopen ("libgnutls.so.30", RTLD_NOW | RTLD_LOCAL);

  CHECK (library != NULL);
#define LOAD(name) \
  CHECK ((tls.name = (__typeof__ (tls.name)) dlsym (library, "gnutls_" #name)) \
         != NULL)
  LOAD (init);
  LOAD (deinit);
  LOAD (priority_set_direct);
  LOAD (credentials_set);
  LOAD (psk_allocate_server_credentials);
  LOAD (psk_free_server_credentials);
  LOAD (psk_set_server_credentials_file);
  LOAD (transport_set_int2);
  LOAD (handshake);
  LOAD (record_recv);
  LOAD (record_send);
  LOAD (alert_send);
  LOAD (rehandshake);
  LOAD (session_key_update);
  LOAD (session_ticket_key_generate);
  LOAD (session_ticket_enable_server);
  LOAD (session_ticket_send);
#undef LOAD
}

/* The server's end of a connection. */
struct tls_server {
  struct peer peer;
  tls_session session;
  void *credentials;
  struct tls_datum ticket_key;
};

static inline void
tls_receive (struct tls_server *server, void *data, size_t count)
{
  char *next = data;
  ssize_t r;

  for (; count > 0; next += r, count -= r)
    CHECK ((r = tls.record_recv (server->session, next, count)) > 0);
}

/* Sends all of that in one record. */
static inline void
tls_send (struct tls_server *server, const struct bytes *bytes)
{
  CHECK (tls.record_send (server->session, bytes->data, bytes->count)
         == (ssize_t) bytes->count);
}

/* Performs the handshakes of NBD and of TLS, with a key of PSK_FILE. */
static inline void
tls_accept (struct tls_server *server, const char *priority)
{
  struct bytes ack = { .count = 0 };
  char flags[4];
  int r;

  peer_write (&server->peer, GREETING_FIXED, GREETING_SIZE);
  peer_read (&server->peer, flags, sizeof flags);
  CHECK (peer_option (&server->peer).number == OPT_STARTTLS);
  put_ack (&ack, OPT_STARTTLS);
  peer_bytes (&server->peer, &ack);

  CHECK (tls.init (&server->session, TLS_SERVER) == 0);
  CHECK (tls.priority_set_direct (server->session, priority, NULL) == 0);
  CHECK (tls.psk_allocate_server_credentials (&server->credentials) == 0);
  CHECK (tls.psk_set_server_credentials_file (server->credentials,
                                              required_setting ("PSK_FILE"))
         == 0);
  CHECK (tls.credentials_set (server->session, TLS_CREDENTIALS_PSK,
                              server->credentials)
         == 0);
  CHECK (tls.session_ticket_key_generate (&server->ticket_key) == 0);
  CHECK (tls.session_ticket_enable_server (server->session, &server->ticket_key)
         == 0);
  tls.transport_set_int2 (server->session, server->peer.fd, server->peer.fd);
  while ((r = tls.handshake (server->session)) == TLS_AGAIN)
    ;
  CHECK (r == 0);
}

/* Agrees to structured replies, and opens an export of this size. */
static inline void
tls_negotiate (struct tls_server *server, uint64_t size)
{
  unsigned char header[OPTION_HEADER_SIZE];
  struct option option;
  struct bytes replies;
  char data[4096];

  do {
    tls_receive (server, header, sizeof header);
    option = parse_option (header);
    CHECK (option.length <= sizeof data);
    tls_receive (server, data, option.length);
    replies.count = 0;
    if (option.number == OPT_GO)
      put_export (&replies, OPT_GO, size, NBD_FLAG_HAS_FLAGS);
    if (option.number == OPT_EXTENDED_HEADERS)
      put_option_reply (&replies, option.number, REP_ERR (1), "", 0);
    else
      put_ack (&replies, option.number);
    tls_send (server, &replies);
  } while (option.number != OPT_GO);
}

static inline void
tls_end (struct tls_server *server)
{
  tls.deinit (server->session);
  tls.psk_free_server_credentials (server->credentials);
  free (server->ticket_key.data);
  peer_close (&server->peer);
}

#endif /* HARNESS_PEER_TLS_H */
