/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call that fails in an exit handler, in a destructor of the program, or in a
 * destructor of thread-specific data sets its text and errno as usual.  An exit
 * handler can also read the last error before the exit.
 *
 * Source: libnbd(3), "Error handling".
 */
#include "../harness/harness.h"

#include <pthread.h>

/* Number of destructor calls for a thread that sets its data again: one fewer
 * than the system guarantees.
 */
#define ROUNDS 3

static struct nbd_handle *h;
static pthread_key_t early, late;
static int round_of_thread, destructors;

static void
not_connected (void)
{
  CHECK_ERROR (nbd_get_size (h), ENOTCONN);
  CHECK_MESSAGE ("nbd_get_size: ");
}

static void
no_context (void)
{
  CHECK_NULL (nbd_get_meta_context (h, 7), EINVAL);
  CHECK_MESSAGE ("nbd_get_meta_context: ");
}

static void
at_thread_end (void *key)
{
  ++destructors;
  not_connected ();
  no_context ();
  if (++round_of_thread < ROUNDS)
    CHECK (pthread_setspecific (*(pthread_key_t *) key, key) == 0);
}

static void *
thread_that_failed (void *key)
{
  no_context ();
  CHECK (pthread_setspecific (*(pthread_key_t *) key, key) == 0);
  return NULL;
}

static void *
thread_that_did_not_fail (void *key)
{
  CHECK (nbd_get_error () == NULL);
  CHECK (nbd_get_errno () == 0);
  CHECK (pthread_setspecific (*(pthread_key_t *) key, key) == 0);
  return NULL;
}

static void
run (void *(*thread) (void *), pthread_key_t *key)
{
  pthread_t id;

  round_of_thread = 0;
  CHECK (pthread_create (&id, NULL, thread, key) == 0);
  CHECK (pthread_join (id, NULL) == 0);
}

static void
at_exit (void)
{
  /* A failed check must not call exit here. */
  if (nbd_get_errno () != ENOTCONN || nbd_get_error () == NULL
      || strstr (nbd_get_error (), "nbd_get_size: ") == NULL
      || nbd_get_meta_context (h, 7) != NULL || nbd_get_errno () != EINVAL
      || nbd_get_error () == NULL
      || strstr (nbd_get_error (), "nbd_get_meta_context: ") == NULL) {
    fprintf (stderr, "the error in an exit handler: %s\n", nbd_get_error ());
    _exit (EXIT_FAILURE);
  }
}

__attribute__ ((destructor)) static void
at_the_very_end (void)
{
  if (nbd_get_errno () != EINVAL || nbd_get_error () == NULL
      || nbd_get_size (h) != -1 || nbd_get_errno () != ENOTCONN
      || nbd_get_error () == NULL
      || strstr (nbd_get_error (), "nbd_get_size: ") == NULL) {
    fprintf (stderr, "the error in a destructor: %s\n", nbd_get_error ());
    _exit (EXIT_FAILURE);
  }
  nbd_close (h);
}

int
main (void)
{
  CHECK (pthread_key_create (&early, at_thread_end) == 0);
  h = nbd_create ();
  CHECK (atexit (at_exit) == 0);
  not_connected ();
  CHECK (pthread_key_create (&late, at_thread_end) == 0);

  run (thread_that_did_not_fail, &early);
  run (thread_that_did_not_fail, &late);
  run (thread_that_failed, &early);
  run (thread_that_failed, &late);
  CHECK (destructors == 4 * ROUNDS);
  /* Errors of other threads are not visible. */
  CHECK (nbd_get_errno () == ENOTCONN);
  CHECK_MESSAGE ("nbd_get_size: ");
  return 0;
}
