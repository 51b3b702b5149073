/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Without free descriptors, a call that needs one fails with EMFILE, names the
 * operation that failed, leaks none, and leaves a new or dead handle; a new one
 * can connect once descriptors are available.  Calls on a connection need no
 * descriptor.
 * Source: socket(2), pipe(2), fcntl(2) "ERRORS"; nbd_aio_is_created(3).
 */
#include "../harness/commands.h"
#include "../harness/descriptors.h"

static const char *path;
/* The servers inherit the limit, which is not meant for them. */
static char *command[] = { "sh", "-c",
                           "ulimit -S -n 100; exec \"$0\" --stdin --size 1M",
                           NULL, NULL };
static char *listener[] = { "sh", "-c",
                            "ulimit -S -n 100; exec \"$0\" --size 1M", NULL,
                            NULL };
static char uri[200];

static int
by_unix (struct nbd_handle *h)
{
  return nbd_connect_unix (h, path);
}

static int
by_uri (struct nbd_handle *h)
{
  return nbd_connect_uri (h, uri);
}

static int
by_command (struct nbd_handle *h)
{
  return nbd_connect_command (h, command);
}

static int
by_activation (struct nbd_handle *h)
{
  return nbd_connect_systemd_socket_activation (h, listener);
}

static int
by_tcp (struct nbd_handle *h)
{
  int r = nbd_connect_tcp (h, "127.0.0.1", "1");

  /* No server listens there: that is the error with enough descriptors. */
  CHECK (r == -1);
  return nbd_get_errno () == ECONNREFUSED ? 0 : -1;
}

static int
by_vsock (struct nbd_handle *h)
{
  int r = nbd_connect_vsock (h, 1, 1);

  return r == -1 && nbd_get_errno () == EMFILE ? -1 : 0;
}

/* Allows one more descriptor each time until the call succeeds. */
static void
connect_with_few (int (*connect) (struct nbd_handle *), int least, bool serves)
{
  size_t before = descriptors ();
  int failures = 0;

  for (int extra = 0;; ++extra) {
    struct nbd_handle *h = nbd_create ();
    rlim_t limit = set_limit (first_free () + extra);
    int r;

    CHECK (h != NULL);
    CHECK (extra < 20);
    r = connect (h);
    set_limit (limit);
    if (r == 0) {
      if (serves)
        CHECK (nbd_get_size (h) == MIB);
      nbd_close (h);
      CHECK (descriptors () == before);
      break;
    }
    /* Valgrind has a limit and an errno of its own for some calls. */
    if (getenv ("TEST_UNDER_VALGRIND") == NULL) {
      CHECK (nbd_get_errno () == EMFILE);
      CHECK_MESSAGE (strerror (EMFILE));
    }
    ++failures;
    CHECK (nbd_aio_is_created (h) == 1 || nbd_aio_is_dead (h) == 1);
    if (nbd_aio_is_created (h) && serves)
      CHECK (connect (h) == 0);
    nbd_close (h);
    CHECK (descriptors () == before);
    CHECK (waitpid (-1, NULL, WNOHANG) <= 0);
  }
  CHECK (failures >= least);
}

int
main (void)
{
  struct nbd_handle *h;
  char buf[512];
  rlim_t limit;

  command[3] = listener[3] = memserver ();
  path = server_start ("--size", "1M");
  snprintf (uri, sizeof uri, "nbd+unix:///?socket=%s", path);
  /* Opens everything that is opened once in a process. */
  connect_handle (h = nbd_create (), command);
  nbd_close (h);

  connect_with_few (by_unix, 1, true);
  connect_with_few (by_uri, 1, true);
  connect_with_few (by_tcp, 1, false);
  connect_with_few (by_vsock, 1, false);
  connect_with_few (by_command, 2, true);
  connect_with_few (by_activation, 3, true);

  h = nbd_create ();
  CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
  connect_handle (h, command);
  limit = set_limit (first_free ());
  CHECK (nbd_pwrite (h, "x", 1, 0, 0) == 0);
  CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  CHECK (wait_for (h, nbd_aio_flush (h, NBD_NULL_COMPLETION, 0)) == 1);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  /* A handle itself needs no descriptor. */
  h = nbd_create ();
  CHECK (h != NULL);
  set_limit (limit);
  nbd_close (h);
  return 0;
}
