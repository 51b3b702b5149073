/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes an encrypted connection, or fails.
 *
 *   cc tls.c $(pkg-config --cflags --libs libnbd) -o tls
 *   ./tls nbds://server.example.com                 the system's authorities
 *   ./tls -c certificates nbds://server.example.com   a private authority
 *   ./tls -k keys.psk -u alice nbds://server.example.com  a key both sides know
 *
 * -n NAME is the name required in the server's certificate if the URI has none:
 * on a Unix socket.
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libnbd.h>

static int
check (int result)
{
  if (result == -1) {
    fprintf (stderr, "tls: %s\n", nbd_get_error ());
    exit (EXIT_FAILURE);
  }
  return result;
}

int
main (int argc, char **argv)
{
  struct nbd_handle *nbd = nbd_create ();
  char sector[512];
  int option;

  if (nbd == NULL || check (nbd_supports_tls (nbd)) == 0) {
    fprintf (stderr, "tls: libnbd has no TLS here\n");
    return EXIT_FAILURE;
  }

  /* LIBNBD_TLS_ALLOW would continue without encryption if the server does not
   * support it, or if an attacker in between pretends so. */
  check (nbd_set_tls (nbd, LIBNBD_TLS_REQUIRE));
  while ((option = getopt (argc, argv, "c:k:n:u:")) != -1)
    switch (option) {
    case 'c':
      /* A directory with the certificate of the authority (ca-cert.pem) and, if
       * the server requires it, the client's own (client-cert.pem,
       * client-key.pem). */
      check (nbd_set_tls_certificates (nbd, optarg));
      break;
    case 'k':
      check (nbd_set_tls_psk_file (nbd, optarg));
      break;
    case 'n':
      check (nbd_set_tls_hostname (nbd, optarg));
      break;
    case 'u':
      check (nbd_set_tls_username (nbd, optarg));
      break;
    default:
      optind = argc;
    }
  if (optind + 1 != argc) {
    fprintf (stderr, "usage: tls [-c DIRECTORY] [-k FILE -u USER] [-n NAME] "
                     "URI\n");
    return EXIT_FAILURE;
  }

  /* Fails if the server's identity is wrong. */
  check (nbd_connect_uri (nbd, argv[optind]));
  check (nbd_pread (nbd, sector, sizeof sector, 0, 0));
  printf ("Read %zu bytes, encrypted: %s\n", sizeof sector,
          check (nbd_get_tls_negotiated (nbd)) ? "yes" : "no");

  check (nbd_shutdown (nbd, 0));
  nbd_close (nbd);
  return EXIT_SUCCESS;
}
