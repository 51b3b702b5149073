/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Support for programs about broken STARTTLS.  The servers here have no
 * certificates: bytes after their ACK are never a handshake.
 */
#ifndef HARNESS_STARTTLS_H
#define HARNESS_STARTTLS_H

#include "commands.h"

/* Lengths of the client's flags and of an option without data. */
#define CLIENT_FLAGS 4
#define OPTION 16
/* Lengths of the greeting and of a reply without data. */
#define GREETING 18
#define OPTION_REPLY 20

/* Answers to STARTTLS that are neither an ACK with a handshake after it nor a
 * refusal.
 */
static char *const starttls_faults[] = {
  "starttls-ack-with-data",
  "starttls-unknown-reply",
  "starttls-info-reply",
  "starttls-eof",
  "starttls-garbage",
  "starttls-close-after-ack",
  "starttls-plaintext-after-ack",
  "starttls-plain-after-ack",
};

static inline struct nbd_handle *
with_tls (int mode, bool opt_mode)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (h != NULL);
  CHECK (nbd_supports_tls (h) == 1);
  CHECK (nbd_set_tls (h, mode) == 0);
  /* A missing authority must not be the reason for the failure. */
  CHECK (nbd_set_tls_verify_peer (h, false) == 0);
  CHECK (nbd_set_opt_mode (h, opt_mode) == 0);
  return h;
}

/* Checks that the connection is dead: no data moves, and it is not reported as
 * encrypted.
 */
static inline void
check_tls_failed (struct nbd_handle *h)
{
  char byte = 0;

  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (nbd_aio_is_ready (h) == 0);
  CHECK (nbd_aio_is_negotiating (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == -1);
  CHECK (nbd_get_size (h) == -1);
  CHECK_ERROR (nbd_aio_pread (h, &byte, 1, 0, NBD_NULL_COMPLETION, 0), EINVAL);
  CHECK_ERROR (nbd_pwrite (h, &byte, 1, 0, 0), EINVAL);
  CHECK_ERROR (nbd_opt_go (h), EINVAL);
  CHECK_ERROR (nbd_opt_starttls (h), EINVAL);
}

/* Checks that data can be read without encryption. */
static inline void
check_plaintext_works (struct nbd_handle *h)
{
  char byte = 1;

  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_get_tls_negotiated (h) == 0);
  CHECK (nbd_get_extended_headers_negotiated (h) == 1);
  CHECK (nbd_pread (h, &byte, 1, 0, 0) == 0);
  CHECK (byte == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
}

#endif /* HARNESS_STARTTLS_H */
