/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connects to a server, uses it and disconnects in one of several ways, so that
 * the bytes sent can be compared.  Errors are printed and not fatal.
 *
 * speaks-on-the-wire HOW SOCKET [EXPORT [KEYS]]
 *
 * HOW: "commands", "disconnect", "close", or in option mode "go", "abort",
 * "shutdown".  KEYS is a file with pre-shared keys; it makes TLS required. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd.h>

#ifndef LIBNBD_HAVE_NBD_SET_REQUEST_EXTENDED_HEADERS
/* Weak, since the system's library may lack extended headers and nbd_shutdown
 * during negotiation. */
int nbd_set_request_extended_headers (struct nbd_handle *h, bool request);
#pragma weak nbd_set_request_extended_headers
#define OLD true
#define ask_as_the_oldest(h) \
  (nbd_set_request_extended_headers \
       ? nbd_set_request_extended_headers ((h), false) \
       : 0)
#else
#define OLD false
#define ask_as_the_oldest(h) 0
#endif

static int
check (const char *call, int64_t result)
{
  printf ("%s: %d, errno %d\n", call, (int) result,
          result == -1 ? nbd_get_errno () : 0);
  return result;
}

#define CALL(call) check (#call, (call))

static void
use (struct nbd_handle *nbd)
{
  static char data[4096];

  CALL (nbd_pread (nbd, data, sizeof data, 0, 0));
  if (nbd_is_read_only (nbd) == 0)
    CALL (nbd_pwrite (nbd, data, sizeof data, 4096, 0));
  if (nbd_can_flush (nbd) == 1)
    CALL (nbd_flush (nbd, 0));
}

static void
wait_for_the_end (struct nbd_handle *nbd)
{
  while (!nbd_aio_is_closed (nbd) && !nbd_aio_is_dead (nbd))
    if (nbd_poll (nbd, -1) == -1)
      break;
}

int
main (int argc, char **argv)
{
  struct nbd_handle *nbd = nbd_create ();
  const char *how;

  if (nbd == NULL || argc < 3)
    return EXIT_FAILURE;
  how = argv[1];
  CALL (ask_as_the_oldest (nbd));
  if (argc > 3)
    CALL (nbd_set_export_name (nbd, argv[3]));
  if (argc > 4) {
    CALL (nbd_set_tls (nbd, LIBNBD_TLS_REQUIRE));
    CALL (nbd_set_tls_psk_file (nbd, argv[4]));
    CALL (nbd_set_tls_username (nbd, "tester"));
  }
  CALL (nbd_set_opt_mode (nbd, strcmp (how, "go") == 0
                                   || strcmp (how, "abort") == 0
                                   || strcmp (how, "shutdown") == 0));
  if (CALL (nbd_connect_unix (nbd, argv[2])) == 0) {
    if (strcmp (how, "abort") == 0 || (OLD && strcmp (how, "shutdown") == 0))
      CALL (nbd_opt_abort (nbd));
    else if (strcmp (how, "shutdown") == 0)
      CALL (nbd_shutdown (nbd, 0));
    else if (strcmp (how, "go") != 0 || CALL (nbd_opt_go (nbd)) == 0) {
      use (nbd);
      if (strcmp (how, "disconnect") == 0) {
        CALL (nbd_aio_disconnect (nbd, 0));
        wait_for_the_end (nbd);
      } else if (strcmp (how, "close") != 0)
        CALL (nbd_shutdown (nbd, 0));
    }
  }
  printf ("closed %d, dead %d\n", nbd_aio_is_closed (nbd),
          nbd_aio_is_dead (nbd));
  nbd_close (nbd);
  return EXIT_SUCCESS;
}
