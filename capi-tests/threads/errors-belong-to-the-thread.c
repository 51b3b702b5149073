/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each thread has its own last error, for all handles.
 *
 * Source: libnbd(3), "Error handling".
 */
#include "../harness/harness.h"

#include <pthread.h>

static void *
other_thread (void *handle)
{
  struct nbd_handle *h = handle;

  CHECK (nbd_get_error () == NULL);
  CHECK (nbd_get_errno () == 0);
  CHECK_NULL (nbd_get_meta_context (h, 7), EINVAL);
  CHECK_MESSAGE ("nbd_get_meta_context: ");
  return NULL;
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  pthread_t thread;

  CHECK_ERROR (nbd_connect_unix (h, "/nonexistent/socket"), ENOENT);
  CHECK (pthread_create (&thread, NULL, other_thread, h) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (nbd_get_errno () == ENOENT);
  CHECK_MESSAGE ("nbd_connect_unix: ");
  nbd_close (h);
  return 0;
}
