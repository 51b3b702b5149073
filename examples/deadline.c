/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads a disk from a server that may be slow: gives up when the server needs
 * longer than some seconds for a call, or when the user presses ^C.
 *
 *   cc deadline.c $(pkg-config --cflags --libs libnbd) -o deadline
 *   ./deadline nbd://localhost 5
 *
 * The C library libnbd cannot do this. With that, the program says so and goes
 * on without: it waits until the server answers, and ^C kills it. See
 * libnbd-ext(3). On systems with an old C library (glibc before 2.34), add -ldl.
 */

#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <libnbd-ext.h>

/* The extensions, each NULL if the library does not have it. */
static struct {
  __typeof__ (nbd_ext_set_timeout) *set_timeout;
  __typeof__ (nbd_ext_set_cancellable) *set_cancellable;
  __typeof__ (nbd_ext_cancel) *cancel;
} extensions;

static struct nbd_handle *nbd;

static void
find_extensions (void)
{
  *(void **) &extensions.set_timeout = dlsym (RTLD_DEFAULT,
                                              "nbd_ext_set_timeout");
  *(void **) &extensions.set_cancellable = dlsym (RTLD_DEFAULT,
                                                  "nbd_ext_set_cancellable");
  *(void **) &extensions.cancel = dlsym (RTLD_DEFAULT, "nbd_ext_cancel");
}

/* Ends the call that waits for the server. A second ^C kills the program, in
 * case it was between two calls.
 */
static void
interrupted (int number)
{
  (void) number;
  extensions.cancel (nbd);
}

static void
check (int result)
{
  if (result != -1)
    return;
  switch (nbd_get_errno ()) {
  case ETIMEDOUT:
    fprintf (stderr, "deadline: the server did not answer in time\n");
    break;
  case ECANCELED:
    fprintf (stderr, "deadline: interrupted\n");
    break;
  default:
    fprintf (stderr, "deadline: %s\n", nbd_get_error ());
  }
  signal (SIGINT, SIG_DFL);
  nbd_close (nbd);
  exit (EXIT_FAILURE);
}

/* Limits the time of each call, and lets ^C end it. */
static void
set_limits (int seconds)
{
  struct sigaction action = { .sa_handler = interrupted,
                              .sa_flags = SA_RESETHAND };

  find_extensions ();
  if (!extensions.set_timeout || !extensions.set_cancellable
      || !extensions.cancel) {
    printf ("This libnbd waits without a limit; continuing.\n");
    return;
  }
  check (extensions.set_timeout (nbd, seconds * 1000));
  check (extensions.set_cancellable (nbd, true));
  sigaction (SIGINT, &action, NULL);
}

int
main (int argc, char *argv[])
{
  static char data[65536];
  int64_t size, offset;

  if (argc != 3) {
    fprintf (stderr, "usage: deadline URI SECONDS\n");
    exit (EXIT_FAILURE);
  }
  if ((nbd = nbd_create ()) == NULL)
    check (-1);
  set_limits (atoi (argv[2]));

  check (nbd_connect_uri (nbd, argv[1]));
  size = nbd_get_size (nbd);
  for (offset = 0; offset < size; offset += sizeof data) {
    int64_t left = size - offset;
    size_t count = left < (int64_t) sizeof data ? (size_t) left : sizeof data;

    check (nbd_pread (nbd, data, count, offset, 0));
  }
  printf ("%" PRIi64 " bytes read\n", size);

  /* From here on, ^C kills the program: the handle is about to be freed. */
  signal (SIGINT, SIG_DFL);
  check (nbd_shutdown (nbd, 0));
  nbd_close (nbd);
  return 0;
}
