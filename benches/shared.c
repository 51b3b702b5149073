/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads that share a handle, as many as -d says: each reads, writes, or
 * alternates, and waits for each of its operations.
 */

#include <pthread.h>

#include <libnbd.h>

#include "arguments.h"
#include "client.h"
#include "measure.h"

struct work {
  const struct arguments *arguments;
  struct nbd_handle *nbd;
  long number;
  char *buffer;
  pthread_t thread;
};

static void
read_or_write (struct work *work, long n)
{
  const struct arguments *it = work->arguments;
  unsigned long offset = offset_of (it, n);
  bool write = it->operation == OPERATION_WRITE
               || (it->operation == OPERATION_MIX && n / it->depth % 2 != 0);
  int r;

  if (write)
    r = nbd_pwrite (work->nbd, work->buffer, it->size, offset, 0);
  else
    r = nbd_pread (work->nbd, work->buffer, it->size, offset, 0);
  if (r == -1)
    fail ();
}

static void *
run (void *argument)
{
  struct work *work = argument;
  const struct arguments *it = work->arguments;

  for (long n = work->number; n < it->operations; n += it->depth)
    read_or_write (work, n);
  return NULL;
}

int
main (int argc, char *argv[])
{
  struct arguments it = parse_arguments (argc, argv);
  char *buffers = touched_memory (it.depth * it.size);
  struct work *works = calloc (it.depth, sizeof (struct work));
  struct nbd_handle *nbd = connect_handle (&it);
  struct moment start;

  if (works == NULL)
    return EXIT_FAILURE;
  start = moment_now ();
  for (long i = 0; i < it.depth; i++) {
    works[i] = (struct work) { &it, nbd, i, buffers + i * it.size, 0 };
    if (pthread_create (&works[i].thread, NULL, run, &works[i]) != 0)
      return EXIT_FAILURE;
  }
  for (long i = 0; i < it.depth; i++)
    pthread_join (works[i].thread, NULL);
  report_since (start, it.operations, nbd_get_version (nbd));

  if (nbd_shutdown (nbd, 0) == -1)
    fail ();
  nbd_close (nbd);
  free (works);
  free (buffers);
  return EXIT_SUCCESS;
}
