/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A name that cannot be resolved is an immediate error that names host, port
 * and reason; the handle stays new and can be used for another address.  If a
 * name resolves to several addresses, those that refuse are skipped.
 * Source: nbd_connect_tcp(3), getaddrinfo(3) "RETURN VALUE".
 */
#include "../harness/commands.h"

#include <netdb.h>
#include <netinet/in.h>

static int code, addresses;
static struct sockaddr_in good, bad;

int
getaddrinfo (const char *node, const char *service,
             const struct addrinfo *hints, struct addrinfo **result)
{
  CHECK (strcmp (node, "disk.example") == 0);
  CHECK (strcmp (service, "10809") == 0);
  CHECK (hints->ai_socktype == SOCK_STREAM);
  *result = NULL;
  if (code != 0) {
    errno = EMFILE;
    return code;
  }
  /* Only the last address has a listener. */
  for (int i = 0; i < addresses; ++i) {
    struct addrinfo *info = calloc (1, sizeof *info);

    CHECK (info != NULL);
    info->ai_family = AF_INET;
    info->ai_socktype = SOCK_STREAM;
    info->ai_addrlen = sizeof good;
    info->ai_addr = (struct sockaddr *) (i == 0 ? &good : &bad);
    info->ai_next = *result;
    *result = info;
  }
  return 0;
}

void
freeaddrinfo (struct addrinfo *list)
{
  while (list) {
    struct addrinfo *next = list->ai_next;

    free (list);
    list = next;
  }
}

static int
bind_anywhere (struct sockaddr_in *address)
{
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t length = sizeof *address;

  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  CHECK (bind (fd, (struct sockaddr *) address, sizeof *address) == 0);
  CHECK (getsockname (fd, (struct sockaddr *) address, &length) == 0);
  return fd;
}

int
main (void)
{
  static const int codes[] = { EAI_NONAME, EAI_AGAIN,  EAI_FAIL,   EAI_MEMORY,
                               EAI_SYSTEM, EAI_NODATA, EAI_SERVICE };
  struct nbd_handle *h = nbd_create ();
  int listening = bind_anywhere (&good), refusing = bind_anywhere (&bad);
  int accepted;

  for (size_t i = 0; i < ITEMS (codes); ++i) {
    code = codes[i];
    CHECK_ERROR (nbd_connect_tcp (h, "disk.example", "10809"),
                 code == EAI_SYSTEM ? EMFILE : 0);
    CHECK_MESSAGE ("nbd_connect_tcp: ");
    CHECK_MESSAGE ("disk.example");
    CHECK_MESSAGE ("10809");
    CHECK_MESSAGE (gai_strerror (code));
    CHECK (nbd_aio_is_created (h) == 1);
    CHECK_ERROR (nbd_aio_connect_tcp (h, "disk.example", "10809"),
                 code == EAI_SYSTEM ? EMFILE : 0);
    CHECK_ERROR (nbd_connect_uri (h, "nbd://disk.example"),
                 code == EAI_SYSTEM ? EMFILE : 0);
    CHECK_MESSAGE ("nbd_connect_uri: ");
    CHECK (nbd_aio_is_created (h) == 1);
  }

  /* The name is unknown, or no server listens. */
  code = 0;
  for (addresses = 0; addresses < 3; ++addresses) {
    CHECK_ERROR (nbd_connect_tcp (h, "disk.example", "10809"),
                 addresses ? ECONNREFUSED : EADDRNOTAVAIL);
    CHECK (nbd_aio_is_created (h) == 1);
  }

  CHECK (listen (listening, 1) == 0);
  addresses = 5;
  CHECK (nbd_aio_connect_tcp (h, "disk.example", "10809") == 0);
  while (strncmp (nbd_connection_state (h), "CONNECT", 7) == 0)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK ((accepted = accept (listening, NULL, NULL)) >= 0);
  CHECK (nbd_aio_is_connecting (h) == 1);
  nbd_close (h);
  CHECK (close (accepted) == 0);
  CHECK (close (listening) == 0 && close (refusing) == 0);
  return 0;
}
