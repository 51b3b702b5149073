/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Support for programs about TLS.  Environment variables select the server and
 * the settings; an unset variable leaves a setting at its default:
 *
 *   SERVER         unix:PATH, tcp:HOST:PORT, or an NBD URI
 *   TLS            disable, allow or require (the default here, not for URIs)
 *   CERTIFICATES   nbd_set_tls_certificates
 *   PSK_FILE       nbd_set_tls_psk_file
 *   USERNAME       nbd_set_tls_username
 *   HOSTNAME       nbd_set_tls_hostname
 *   VERIFY_PEER    nbd_set_tls_verify_peer, 0 or 1
 *   PRIORITY       nbd_set_tls_priority
 *   ALLOW_LOCAL_FILE, ALLOW_TLS_PRIORITY, ALLOW_TLS
 *                  nbd_set_uri_allow_*
 */
#ifndef HARNESS_TLS_H
#define HARNESS_TLS_H

#include "commands.h"

static inline const char *
setting (const char *name)
{
  return getenv (name);
}

static inline const char *
required_setting (const char *name)
{
  const char *value = setting (name);

  if (value == NULL) {
    fprintf (stderr, "%s is not in the environment\n", name);
    exit (EXIT_FAILURE);
  }
  return value;
}

static inline bool
is_uri (const char *server)
{
  return strstr (server, "://") != NULL;
}

static inline int
tls_mode (const char *name)
{
  if (strcmp (name, "disable") == 0)
    return LIBNBD_TLS_DISABLE;
  if (strcmp (name, "allow") == 0)
    return LIBNBD_TLS_ALLOW;
  CHECK (strcmp (name, "require") == 0);
  return LIBNBD_TLS_REQUIRE;
}

/* Creates a handle with the settings, not yet connected. */
static inline struct nbd_handle *
configured (void)
{
  struct nbd_handle *h = nbd_create ();
  const char *value;

  CHECK (h != NULL);
  if ((value = setting ("TLS")) != NULL)
    CHECK (nbd_set_tls (h, tls_mode (value)) == 0);
  else if (setting ("SERVER") != NULL && !is_uri (setting ("SERVER")))
    CHECK (nbd_set_tls (h, LIBNBD_TLS_REQUIRE) == 0);
  if ((value = setting ("CERTIFICATES")) != NULL)
    CHECK (nbd_set_tls_certificates (h, value) == 0);
  if ((value = setting ("PSK_FILE")) != NULL)
    CHECK (nbd_set_tls_psk_file (h, value) == 0);
  if ((value = setting ("USERNAME")) != NULL)
    CHECK (nbd_set_tls_username (h, value) == 0);
  if ((value = setting ("HOSTNAME")) != NULL)
    CHECK (nbd_set_tls_hostname (h, value) == 0);
  if ((value = setting ("VERIFY_PEER")) != NULL)
    CHECK (nbd_set_tls_verify_peer (h, atoi (value)) == 0);
  if ((value = setting ("PRIORITY")) != NULL)
    CHECK (nbd_set_tls_priority (h, value) == 0);
  if ((value = setting ("ALLOW_LOCAL_FILE")) != NULL)
    CHECK (nbd_set_uri_allow_local_file (h, atoi (value)) == 0);
  if ((value = setting ("ALLOW_TLS_PRIORITY")) != NULL)
    CHECK (nbd_set_uri_allow_tls_priority (h, atoi (value)) == 0);
  if ((value = setting ("ALLOW_TLS")) != NULL)
    CHECK (nbd_set_uri_allow_tls (h, tls_mode (value)) == 0);
  return h;
}

/* Begins to connect without waiting, or connects. */
static inline int
start_to_connect (struct nbd_handle *h, bool wait)
{
  const char *server = required_setting ("SERVER");
  char *host, *port;
  int r;

  if (is_uri (server))
    return (wait ? nbd_connect_uri : nbd_aio_connect_uri) (h, server);
  if (strncmp (server, "unix:", 5) == 0)
    return wait ? nbd_connect_unix (h, server + 5)
                : nbd_aio_connect_unix (h, server + 5);
  CHECK (strncmp (server, "tcp:", 4) == 0);
  CHECK ((host = strdup (server + 4)) != NULL);
  CHECK ((port = strrchr (host, ':')) != NULL);
  *port++ = '\0';
  r = (wait ? nbd_connect_tcp : nbd_aio_connect_tcp) (h, host, port);
  free (host);
  return r;
}

static inline int
connect_to_server (struct nbd_handle *h)
{
  return start_to_connect (h, true);
}

/* Fills memory with data that depends on its offset and on the round. */
static inline void
fill (unsigned char *buffer, size_t count, uint64_t offset, uint64_t round)
{
  uint64_t word;
  size_t i;

  for (i = 0; i < count; i += sizeof word) {
    word = (offset + i + round) * UINT64_C (0x9e3779b97f4a7c15);
    word ^= word >> 29;
    memcpy (buffer + i, &word,
            count - i < sizeof word ? count - i : sizeof word);
  }
}

static inline bool
is_filled (const unsigned char *buffer, size_t count, uint64_t offset,
           uint64_t round)
{
  unsigned char expected[4096];
  size_t i, n;

  for (i = 0; i < count; i += n) {
    n = count - i < sizeof expected ? count - i : sizeof expected;
    fill (expected, n, offset + i, round);
    if (memcmp (buffer + i, expected, n) != 0)
      return false;
  }
  return true;
}

/* Writes a little data and reads it back. */
static inline void
check_data_flows (struct nbd_handle *h)
{
  static unsigned char buffer[65536];

  CHECK (nbd_get_size (h) >= (int64_t) sizeof buffer);
  fill (buffer, sizeof buffer, 0, 7);
  CHECK (nbd_pwrite (h, buffer, sizeof buffer, 0, 0) == 0);
  memset (buffer, 0, sizeof buffer);
  CHECK (nbd_pread (h, buffer, sizeof buffer, 0, 0) == 0);
  CHECK (is_filled (buffer, sizeof buffer, 0, 7));
}

/* Returns true if the last errno is one of these numbers, separated by commas;
 * 0 stands for no errno.
 */
static inline bool
errno_is_one_of (const char *expected)
{
  int seen = nbd_get_errno ();
  char *end;

  for (;; expected = end + 1) {
    if (strtol (expected, &end, 10) == seen)
      return true;
    if (*end == '\0')
      return false;
  }
}

/* Checks that the last call failed for the right reason: its errno is one of
 * these, and the message begins with the function's name and contains one of
 * these words, separated by |, in any case.
 */
static inline void
check_last_error (const char *errnos, const char *words)
{
  const char *message = nbd_get_error ();
  char *copy, *word, *saved;
  bool found = false;

  CHECK (message != NULL);
  CHECK (strncmp (message, "nbd_", 4) == 0);
  CHECK (strstr (message, ": ") != NULL);
  CHECK (errno_is_one_of (errnos));
  CHECK ((copy = strdup (words)) != NULL);
  for (word = strtok_r (copy, "|", &saved); word && !found;
       word = strtok_r (NULL, "|", &saved))
    found = strcasestr (message, word) != NULL;
  free (copy);
  if (!found) {
    fprintf (stderr, "the error message should have one of: %s\n", words);
    CHECK (found);
  }
}

/* Checks that no data moves on a connection that failed. */
static inline void
check_unusable (struct nbd_handle *h)
{
  char byte = 0;

  CHECK (nbd_aio_is_ready (h) == 0);
  CHECK (nbd_aio_is_processing (h) == 0);
  CHECK (nbd_aio_is_negotiating (h) == 0);
  CHECK (nbd_aio_is_connecting (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) != 1);
  CHECK (nbd_get_size (h) == -1);
  CHECK (nbd_pread (h, &byte, 1, 0, 0) == -1);
  CHECK (nbd_pwrite (h, &byte, 1, 0, 0) == -1);
  CHECK (nbd_opt_go (h) == -1);
  CHECK (nbd_aio_pread (h, &byte, 1, 0, NBD_NULL_COMPLETION, 0) == -1);
  CHECK (nbd_aio_in_flight (h) <= 0);
}

#endif /* HARNESS_TLS_H */
