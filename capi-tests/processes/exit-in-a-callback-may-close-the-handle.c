/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program may exit in a callback even if it closes its handles in an
 * atexit(3) handler or a C++ destructor. nbd_close inside a call on the same
 * handle frees closures and completes nothing. libnbd 1.24.4 completes the
 * commands, and calls the running callback a second time.
 * Source: the promise of this library (docs/differences.md).
 */
#include "../harness/peer.h"

#include <sys/wait.h>

static struct nbd_handle *h;
static int report; /* descriptor on which the child reports */

static void
say (char what)
{
  CHECK (write (report, &what, 1) == 1);
}

static int
completed (void *user_data, int *error)
{
  (void) error;
  say (*(char *) user_data);
  return 0;
}

static void
freed (void *user_data)
{
  say (*(char *) user_data - 'a' + 'A');
}

static int
end_here (void *user_data, int *error)
{
  (void) user_data, (void) error;
  say ('!');
  exit (7);
}

static int
end_in_a_list (void *user_data, const char *name, const char *description)
{
  (void) user_data, (void) name, (void) description;
  say ('!');
  exit (7);
}

static void
close_it (void)
{
  nbd_close (h);
  say ('.');
}

static nbd_completion_callback
named (char *name)
{
  return (nbd_completion_callback) { .callback = completed,
                                     .user_data = name,
                                     .free = freed };
}

static void
end_in_a_completion (void)
{
  struct peer peer = { .replies = SIMPLE };
  struct request request;

  h = nbd_create ();
  peer_connect (h, &peer);
  atexit (close_it);
  CHECK (nbd_aio_flush (h, named ("a"), 0) == 1);
  CHECK (nbd_aio_flush (h, (nbd_completion_callback) { .callback = end_here },
                        0)
         == 2);
  CHECK (nbd_aio_flush (h, named ("b"), 0) == 3);
  peer_request (&peer, NULL);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 0);
  nbd_poll (h, -1);
}

static void
end_in_a_synchronous_call (void)
{
  nbd_list_callback list = { .callback = end_in_a_list };

  h = nbd_create ();
  CHECK (nbd_set_opt_mode (h, true) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  atexit (close_it);
  nbd_opt_list (h, list);
}

static void
expect (void (*run) (void), const char *expected)
{
  char seen[64] = "";
  size_t count = 0;
  int fds[2], status;
  ssize_t r;
  pid_t child;

  CHECK (pipe (fds) == 0);
  child = fork ();
  CHECK (child != -1);
  if (child == 0) {
    alarm (20);
    report = fds[1];
    run ();
    _exit (1);
  }
  close (fds[1]);
  while ((r = read (fds[0], seen + count, sizeof seen - 1 - count)) > 0)
    count += r;
  close (fds[0]);
  CHECK (waitpid (child, &status, 0) == child);
  CHECK (WIFEXITED (status) && WEXITSTATUS (status) == 7);
  CHECK_STRING (strdup (seen), expected);
}

int
main (void)
{
  /* A process that exits in a callback leaks the memory of the calls around it,
   * according to valgrind.
   */
  if (getenv ("TEST_UNDER_VALGRIND"))
    return 0;
  expect (end_in_a_completion, "!BA.");
  expect (end_in_a_synchronous_call, "!.");
  return 0;
}
