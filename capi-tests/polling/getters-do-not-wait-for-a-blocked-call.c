/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* While one thread is blocked in a command, another can query the handle: its
 * state, direction, private data and the features of the build, without waiting
 * for the command.
 *
 * Source: libnbd(3), "Synchronous and asynchronous calls": calls either lock the
 * handle or read its fields atomically.  Some of these do lock in the C library
 * 1.24.4, so there only their results can be seen to be right.
 */
#include "../harness/harness.h"

#include <pthread.h>
#include <time.h>

static bool finished;

static void *
read_slowly (void *handle)
{
  char byte;

  CHECK (nbd_pread (handle, &byte, 1, 0, 0) == 0);
  __atomic_store_n (&finished, true, __ATOMIC_RELEASE);
  return NULL;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  struct timespec half = { .tv_nsec = 500000000 };
  bool waits = nbd_get_version_extra (h)[0] == '\0'; /* the C library */
  pthread_t thread;

  connect_handle (h, server_command ("--size", "1M", "--delay", "3000"));
  CHECK (pthread_create (&thread, NULL, read_slowly, h) == 0);
  nanosleep (&half, NULL);

  CHECK (nbd_aio_is_dead (h) == 0);
  CHECK (nbd_aio_is_closed (h) == 0);
  CHECK (nbd_aio_is_created (h) == 0);
  CHECK (nbd_aio_is_connecting (h) == 0);
  CHECK (nbd_aio_is_ready (h) + nbd_aio_is_processing (h) == 1);
  CHECK (nbd_connection_state (h) != NULL);
  CHECK (nbd_set_private_data (h, 1) == 0);
  CHECK (nbd_get_private_data (h) == 1);
  CHECK (nbd_supports_uri (h) == 1);
  CHECK (strcmp (nbd_get_version (h), "1.24.4") == 0);
  CHECK (!__atomic_load_n (&finished, __ATOMIC_ACQUIRE) || waits);

  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (finished);
  nbd_close (h);
  return 0;
}
