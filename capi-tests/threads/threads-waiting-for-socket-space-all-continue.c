/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two threads wait for space in the socket, and one of them sends the whole
 * queue before the other one checks: both writes succeed.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/commands.h"

#include <pthread.h>

#define SIZE (3 * MIB)
#define ROUNDS 100

static struct nbd_handle *h;

static void *
write_all (void *arg)
{
  char *data = calloc (1, SIZE);

  CHECK (data != NULL);
  for (int i = 0; i < ROUNDS; ++i)
    CHECK (nbd_pwrite (h, data, SIZE, (uintptr_t) arg * SIZE, 0) == 0);
  free (data);
  return NULL;
}

int
main (void)
{
  pthread_t threads[2];

  h = connected ("--size", "8M");
  for (uintptr_t i = 0; i < ITEMS (threads); ++i)
    CHECK (pthread_create (&threads[i], NULL, write_all, (void *) i) == 0);
  for (unsigned i = 0; i < ITEMS (threads); ++i)
    CHECK (pthread_join (threads[i], NULL) == 0);
  nbd_close (h);
  return 0;
}
