/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads or writes with two threads: one issues commands, the other one waits
 * for the replies. It waits with poll(2), since libnbd 1.14 holds the lock of
 * the handle while it waits in nbd_poll, and the first thread could not issue
 * anything meanwhile.
 */

#include <pthread.h>
#include <semaphore.h>

#include <libnbd.h>

#include "arguments.h"
#include "client.h"
#include "measure.h"

struct work {
  const struct arguments *arguments;
  struct nbd_handle *nbd;
  char *buffers;
  struct slot *slots; /* the argument of each callback */
  long *vacant;       /* a ring of the numbers of free buffers */
  long completed;     /* commands; the waiting thread's own */
  sem_t free_buffers;
};

struct slot {
  struct work *work;
  long number;
};

static int
completed (void *user_data, int *error)
{
  struct slot *slot = user_data;
  struct work *work = slot->work;

  fail_if (*error);
  work->vacant[work->completed++ % work->arguments->depth] = slot->number;
  if (sem_post (&work->free_buffers) == -1) {
    perror ("sem_post");
    exit (EXIT_FAILURE);
  }
  return 1; /* retires the command */
}

/* Waits for replies. If the socket does not accept all of a request, the rest
 * is sent after the next reply, which wakes this thread. There is a next reply,
 * as requests are smaller than the socket's buffer. */
static void *
wait_for_replies (void *argument)
{
  struct work *work = argument;

  while (work->completed < work->arguments->operations)
    poll_and_notify (work->nbd);
  return NULL;
}

static void
issue_all (struct work *work)
{
  const struct arguments *it = work->arguments;

  for (long n = 0; n < it->operations; n++) {
    struct slot *slot;

    while (sem_wait (&work->free_buffers) == -1)
      continue;
    slot = &work->slots[work->vacant[n % it->depth]];
    issue (work->nbd, it, work->buffers + slot->number * it->size, n,
           (nbd_completion_callback) { completed, slot, NULL });
  }
}

int
main (int argc, char *argv[])
{
  struct arguments it = parse_arguments (argc, argv);
  struct work work = {
    .arguments = &it,
    .buffers = touched_memory (it.depth * it.size),
    .slots = calloc (it.depth, sizeof (struct slot)),
    .vacant = calloc (it.depth, sizeof (long)),
  };
  struct moment start;
  pthread_t thread;

  if (work.slots == NULL || work.vacant == NULL
      || sem_init (&work.free_buffers, 0, it.depth) == -1)
    return EXIT_FAILURE;
  for (long n = 0; n < it.depth; n++) {
    work.slots[n] = (struct slot) { &work, n };
    work.vacant[n] = n;
  }
  work.nbd = connect_handle (&it);

  start = moment_now ();
  if (pthread_create (&thread, NULL, wait_for_replies, &work) != 0)
    return EXIT_FAILURE;
  issue_all (&work);
  pthread_join (thread, NULL);
  report_since (start, it.operations, nbd_get_version (work.nbd));

  if (nbd_shutdown (work.nbd, 0) == -1)
    fail ();
  nbd_close (work.nbd);
  sem_destroy (&work.free_buffers);
  free (work.vacant);
  free (work.slots);
  free (work.buffers);
  return EXIT_SUCCESS;
}
