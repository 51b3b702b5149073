/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Uses functions that the C library libnbd does not have, if they are there:
 * built once, this program runs with either library.
 *
 *   cc optional-extensions.c $(pkg-config --cflags --libs libnbd) -o \
 *      optional-extensions
 *   ./optional-extensions nbd://localhost
 *
 * A direct call of such a function would keep the program from starting with the
 * C library: libnbd-ext(3).  So this program asks the dynamic linker for their
 * addresses.  On systems with an old C library (glibc before 2.34), add -ldl.
 */

#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <libnbd-ext.h>

/* The extensions that this program knows how to use, each NULL if the library
 * does not have it.
 */
static struct {
  __typeof__ (nbd_ext_set_keepalive) *set_keepalive;
  __typeof__ (nbd_ext_set_user_timeout) *set_user_timeout;
} extensions;

static void
find_extensions (void)
{
  *(void **) &extensions.set_keepalive = dlsym (RTLD_DEFAULT,
                                                "nbd_ext_set_keepalive");
  *(void **) &extensions.set_user_timeout = dlsym (RTLD_DEFAULT,
                                                   "nbd_ext_set_user_timeout");
}

static void
check (int result)
{
  if (result == -1) {
    fprintf (stderr, "optional-extensions: %s\n", nbd_get_error ());
    exit (EXIT_FAILURE);
  }
}

int
main (int argc, char *argv[])
{
  struct nbd_handle *nbd;

  if (argc != 2) {
    fprintf (stderr, "usage: optional-extensions URI\n");
    exit (EXIT_FAILURE);
  }
  if ((nbd = nbd_create ()) == NULL)
    check (-1);

  find_extensions ();
  if (extensions.set_keepalive && extensions.set_user_timeout) {
    check (extensions.set_keepalive (nbd, 30, 10, 3));
    check (extensions.set_user_timeout (nbd, 60 * 1000));
    printf ("A dead server is an error after a minute.\n");
  } else
    printf ("This libnbd cannot detect a dead server; continuing.\n");

  check (nbd_connect_uri (nbd, argv[1]));
  printf ("The disk has %" PRIi64 " bytes.\n", nbd_get_size (nbd));
  check (nbd_shutdown (nbd, 0));
  nbd_close (nbd);
  return 0;
}
