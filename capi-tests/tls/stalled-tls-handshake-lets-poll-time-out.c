/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server that agrees to TLS and then falls silent leaves the handle
 * connecting: nbd_poll returns 0, the library waits in poll(2) instead of
 * retrying the socket, and nbd_close does not wait.
 *
 * Source: nbd_poll(3), nbd_aio_get_direction(3).  libnbd 1.24.4 stays in the
 * call that received the agreement until the server continues.
 *
 * This program defines the functions of the C library that the library calls,
 * and counts the calls.
 */
#include "../harness/counted-calls.h"
#include "../harness/starttls.h"

/* A wait may be interrupted, and a socket tried once in vain. */
#define FEW 8

static void
check_connecting (struct nbd_handle *h)
{
  char byte;

  CHECK (nbd_aio_is_connecting (h) == 1);
  CHECK (nbd_aio_get_direction (h) == LIBNBD_AIO_DIRECTION_READ);
  CHECK (nbd_get_tls_negotiated (h) != 1);
  CHECK (nbd_aio_pread (h, &byte, 1, 0, NBD_NULL_COMPLETION, 0) == -1);
}

/* Proceeds until the server has agreed: it has then sent this many bytes. */
static void
check_stalled (struct nbd_handle *h, uint64_t received)
{
  struct pollfd fd = { .events = POLLIN };

  while (nbd_stats_bytes_received (h) < received)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (nbd_stats_bytes_received (h) == received);
  check_connecting (h);

  CHECK (system_calls > 0);
  system_calls = 0;
  CHECK (nbd_poll (h, 50) == 0);
  CHECK (nbd_poll (h, 0) == 0);
  CHECK (system_calls > 0);
  CHECK (system_calls <= FEW);
  check_connecting (h);

  /* The program's own loop has no events either. */
  fd.fd = nbd_aio_get_fd (h);
  CHECK (poll (&fd, 1, 50) == 0);

  /* A spurious notification. */
  system_calls = 0;
  CHECK (nbd_aio_notify_read (h) == 0);
  CHECK (system_calls <= FEW);
  check_connecting (h);
  CHECK (nbd_poll (h, 50) == 0);
}

int
main (void)
{
  static const int modes[] = { LIBNBD_TLS_REQUIRE, LIBNBD_TLS_ALLOW };
  char **server = server_command ("--fault", "starttls-stall");
  struct record record = { .error = -1 };
  struct nbd_handle *h;

  for (size_t i = 0; i < 2 * ITEMS (modes); ++i) {
    h = with_tls (modes[i / 2], i % 2);
    CHECK (nbd_aio_connect_command (h, server) == 0);
    check_stalled (h, GREETING + OPTION_REPLY);
    nbd_close (h);
  }

  h = with_tls (LIBNBD_TLS_DISABLE, true);
  CHECK (nbd_connect_command (h, server) == 0);
  CHECK (nbd_aio_opt_starttls (h, COMPLETION (&record)) == 0);
  check_stalled (h, nbd_stats_bytes_received (h) + OPTION_REPLY);
  CHECK (record.letters[0] == '\0');
  nbd_close (h);
  /* Completed with an error, or dropped; freed once. */
  CHECK (strcmp (record.letters, "Cc") == 0
         || strcmp (record.letters, "c") == 0);
  CHECK (record.error != 0);
  return 0;
}
