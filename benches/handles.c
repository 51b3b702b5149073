/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Measures the cost of many handles in one process: created only, connected,
 * idle after -d reads were in flight on each, and after as many more reads, one
 * at a time.
 */

#include <malloc.h>

#include <libnbd.h>

#include "arguments.h"
#include "measure.h"

struct memory {
  double heap;     /* bytes allocated by malloc */
  double resident; /* resident bytes of the process */
};

static void
fail (void)
{
  fprintf (stderr, "%s\n", nbd_get_error ());
  exit (EXIT_FAILURE);
}

static struct memory
memory_now (void)
{
  struct mallinfo2 info = mallinfo2 ();
  FILE *file = fopen ("/proc/self/statm", "r");
  long pages;

  if (file == NULL || fscanf (file, "%*d %ld", &pages) != 1) {
    perror ("/proc/self/statm");
    exit (EXIT_FAILURE);
  }
  fclose (file);
  return (struct memory) { info.uordblks + info.hblkhd,
                           (double) pages * sysconf (_SC_PAGESIZE) };
}

static void
report_memory (const char *what, struct memory before, long count)
{
  struct memory now = memory_now ();

  printf ("\"%s_heap\": %.0f, \"%s_resident\": %.0f, ", what,
          (now.heap - before.heap) / count, what,
          (now.resident - before.resident) / count);
}

static void
read_in_flight (struct nbd_handle *nbd, char *buffer, long reads)
{
  for (long i = 0; i < reads; i++) {
    if (nbd_aio_pread (nbd, buffer + i * 4096, 4096, i * 4096,
                       NBD_NULL_COMPLETION, 0)
        == -1)
      fail ();
  }
  while (nbd_aio_in_flight (nbd) > 0) {
    if (nbd_poll (nbd, -1) == -1)
      fail ();
  }
  for (int64_t cookie; (cookie = nbd_aio_peek_command_completed (nbd)) > 0;) {
    if (nbd_aio_command_completed (nbd, cookie) == -1)
      fail ();
  }
}

int
main (int argc, char *argv[])
{
  struct arguments it = parse_arguments (argc, argv);
  struct nbd_handle **all = calloc (it.operations, sizeof *all);
  char *buffer = touched_memory (it.depth * 4096);
  struct memory before;
  struct moment start;

  if (all == NULL)
    return EXIT_FAILURE;
  memset (all, 1, it.operations * sizeof *all);
  printf ("{");

  /* Exclude one-time allocations of the first handle. */
  nbd_close (nbd_create ());
  before = memory_now ();
  for (long n = 0; n < it.operations; n++) {
    all[n] = nbd_create ();
    if (all[n] == NULL)
      fail ();
  }
  report_memory ("created", before, it.operations);

  start = moment_now ();
  for (long n = 0; n < it.operations; n++) {
    if (nbd_connect_uri (all[n], it.target) == -1)
      fail ();
  }
  printf ("\"connect_seconds\": %.6f, ", moment_now ().wall - start.wall);
  report_memory ("connected", before, it.operations);

  for (long n = 0; n < it.operations; n++)
    read_in_flight (all[n], buffer, it.depth);
  report_memory ("idle", before, it.operations);

  for (long n = 0; n < it.operations; n++) {
    for (long i = 0; i < it.depth; i++)
      read_in_flight (all[n], buffer, 1);
  }
  report_memory ("later", before, it.operations);

  for (long n = 0; n < it.operations; n++) {
    if (nbd_shutdown (all[n], 0) == -1)
      fail ();
    nbd_close (all[n]);
  }
  printf ("\"handles\": %ld}\n", it.operations);
  free (all);
  free (buffer);
  return EXIT_SUCCESS;
}
