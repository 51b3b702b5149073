/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads a whole disk with 64 requests in flight, so that neither the network nor
 * the server is idle.  Counts the blocks that hold only zeroes.
 *
 *   cc many-requests.c $(pkg-config --cflags --libs libnbd) -o many-requests
 *   ./many-requests nbd://localhost
 */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd.h>

enum { IN_FLIGHT = 64, BLOCK = 65536 };

/* A request and its buffer.  Both belong to the library from nbd_aio_pread
 * until the completion callback. */
struct request {
  char data[BLOCK];
  size_t length;
  uint64_t offset;
  bool busy;
};

static uint64_t zeroes; /* number of blocks that were all zero */
static unsigned most;   /* maximum number of requests in flight */

static void
die (const char *what, const char *why)
{
  fprintf (stderr, "many-requests: %s: %s\n", what, why);
  exit (EXIT_FAILURE);
}

/* Called from within nbd_poll when the server has answered.  It may look at the
 * data, and should be quick; it must not issue the next request, because the
 * handle is locked. */
static int
complete (void *opaque, int *error)
{
  struct request *request = opaque;

  if (*error != 0)
    die ("read", strerror (*error));

  if (request->data[0] == 0
      && memcmp (request->data, request->data + 1, request->length - 1) == 0)
    zeroes++;
  request->busy = false;

  /* 1: this program does not retrieve the result with
   * nbd_aio_command_completed, so the library can retire the command. */
  return 1;
}

int
main (int argc, char **argv)
{
  struct request *requests = calloc (IN_FLIGHT, sizeof *requests);
  struct nbd_handle *nbd = nbd_create ();
  uint64_t offset = 0, blocks = 0;
  int64_t size;

  if (argc != 2)
    die ("usage", "many-requests URI");
  if (requests == NULL)
    die ("calloc", strerror (errno));
  if (nbd == NULL || nbd_connect_uri (nbd, argv[1]) == -1
      || (size = nbd_get_size (nbd)) == -1)
    die (argv[1], nbd_get_error ());

  /* Until everything has been requested and answered. */
  while (offset < (uint64_t) size || nbd_aio_in_flight (nbd) > 0) {
    for (int i = 0; i < IN_FLIGHT && offset < (uint64_t) size; i++) {
      struct request *request = &requests[i];
      nbd_completion_callback callback = { .callback = complete,
                                           .user_data = request };

      if (request->busy)
        continue;
      request->busy = true;
      request->offset = offset;
      request->length = (uint64_t) size - offset < BLOCK
                            ? (size_t) ((uint64_t) size - offset)
                            : BLOCK;
      if (nbd_aio_pread (nbd, request->data, request->length, request->offset,
                         callback, 0)
          == -1)
        die (argv[1], nbd_get_error ());
      offset += request->length;
      blocks++;
    }
    if ((unsigned) nbd_aio_in_flight (nbd) > most)
      most = (unsigned) nbd_aio_in_flight (nbd);

    /* Sends and receives as much as possible, and waits if nothing is.  With
     * nothing in flight there would be nothing to wait for. */
    if (nbd_aio_in_flight (nbd) > 0 && nbd_poll (nbd, -1) == -1)
      die (argv[1], nbd_get_error ());
  }

  printf ("%" PRIu64 " blocks, %" PRIu64 " of them zero, "
          "at most %u requests in flight\n",
          blocks, zeroes, most);
  if (nbd_shutdown (nbd, 0) == -1)
    die (argv[1], nbd_get_error ());
  nbd_close (nbd);
  free (requests);
  return EXIT_SUCCESS;
}
