/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting to a server that stops at any byte of the handshake is interrupted
 * by a time limit and by nbd_ext_cancel.  The handle is then dead, and closing it
 * ends the server that nbd_connect_command started.
 * Source: nbd_ext_set_timeout(3), nbd_ext_cancel(3).
 */
#include "../harness/interruptions.h"
#include "../harness/peer-tcp.h"

static struct listener tcp;
static int client;

static int
by_tcp (struct nbd_handle *h, void *arg)
{
  (void) arg;
  return nbd_connect_tcp (h, "127.0.0.1", tcp.port);
}

static int
by_unix (struct nbd_handle *h, void *arg)
{
  (void) arg;
  return nbd_connect_unix (h, socket_path ());
}

static int
by_uri (struct nbd_handle *h, void *arg)
{
  char uri[256];

  (void) arg;
  snprintf (uri, sizeof uri, "nbd+unix:///?socket=%s", socket_path ());
  return nbd_connect_uri (h, uri);
}

static int
by_socket (struct nbd_handle *h, void *arg)
{
  (void) arg;
  return nbd_connect_socket (h, client);
}

/* Writes what it reads: nothing. */
static int
by_command (struct nbd_handle *h, void *arg)
{
  (void) arg;
  return nbd_connect_command (h, (char *[]) { "cat", NULL });
}

/* Does not use the socket either. */
static int
by_activation (struct nbd_handle *h, void *arg)
{
  (void) arg;
  return nbd_connect_systemd_socket_activation (h, (char *[]) { "sleep", "1000",
                                                                NULL });
}

static void
interrupt_connecting (enum interruption how,
                      int (*call) (struct nbd_handle *, void *))
{
  struct nbd_handle *h = nbd_create ();

  interrupt_call (h, how, call, NULL);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK (nbd_ext_get_timeout (h) == 0);
  nbd_close (h);
  CHECK (waitpid (-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static int
unix_listen (void)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  strcpy (address.sun_path, socket_path ());
  CHECK (bind (fd, (struct sockaddr *) &address, sizeof address) == 0);
  CHECK (listen (fd, 100) == 0);
  return fd;
}

int
main (void)
{
  struct peer peer = { .replies = EXTENDED };
  struct bytes handshake = { .count = 0 };
  int listener = unix_listen ();

  tcp = tcp_listen ();
  CHECK (listen (tcp.fd, 100) == 0);
  put_handshake (&handshake, &peer);
  for (int how = TIMEOUT; how <= CANCEL; ++how) {
    interrupt_connecting (how, by_tcp);
    interrupt_connecting (how, by_unix);
    interrupt_connecting (how, by_uri);
    /* Under valgrind, a signal to a child is lost if it arrives before exec, and
     * the handle would wait for its server forever.
     */
    if (getenv ("TEST_UNDER_VALGRIND") == NULL) {
      interrupt_connecting (how, by_command);
      interrupt_connecting (how, by_activation);
    }
    for (size_t stop = 0; stop < handshake.count; ++stop) {
      client = scripted_server (handshake.data, stop, &peer.fd);
      interrupt_connecting (how, by_socket);
      CHECK (close (peer.fd) == 0);
    }
  }
  close (listener);
  close (tcp.fd);
  return 0;
}
