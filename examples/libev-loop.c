/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copies a disk to another over two connections in one libev loop, with several
 * blocks in flight.
 *
 *   cc libev-loop.c $(pkg-config --cflags --libs libnbd) -lev -o libev-loop
 *   ./libev-loop nbd://localhost/from nbd://localhost/to
 *
 * libev has no pkg-config file.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>
#include <libnbd.h>

enum { BLOCKS = 16, BLOCK = 65536 };

static void
die (const char *what, const char *why)
{
  fprintf (stderr, "libev-loop: %s: %s\n", what, why);
  exit (EXIT_FAILURE);
}

/* ---- A connection in the loop ------------------------------------------- */

struct connection {
  struct nbd_handle *nbd;
  ev_io io;           /* its socket */
  ev_prepare prepare; /* runs before the loop waits */
};

static void
when_ready (struct ev_loop *loop, ev_io *io, int events)
{
  struct connection *connection = io->data;
  unsigned direction = nbd_aio_get_direction (connection->nbd);
  int result = 0;

  (void) loop;
  if (events & EV_READ && direction & LIBNBD_AIO_DIRECTION_READ)
    result = nbd_aio_notify_read (connection->nbd);
  else if (events & EV_WRITE && direction & LIBNBD_AIO_DIRECTION_WRITE)
    result = nbd_aio_notify_write (connection->nbd);
  if (result == -1)
    die ("connection", nbd_get_error ());
}

/* The events to wait for can change after every call on the handle. */
static void
before_waiting (struct ev_loop *loop, ev_prepare *prepare, int events)
{
  struct connection *connection = prepare->data;
  unsigned direction = nbd_aio_get_direction (connection->nbd);
  int fd = direction != 0 ? nbd_aio_get_fd (connection->nbd) : -1;
  int wanted = 0;

  (void) events;
  if (direction & LIBNBD_AIO_DIRECTION_READ)
    wanted |= EV_READ;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    wanted |= EV_WRITE;
  ev_io_stop (loop, &connection->io);
  if (fd == -1)
    return;
  ev_io_set (&connection->io, fd, wanted);
  ev_io_start (loop, &connection->io);
}

static void
connect_to (struct ev_loop *loop, struct connection *connection,
            const char *uri)
{
  connection->nbd = nbd_create ();
  if (connection->nbd == NULL
      || nbd_aio_connect_uri (connection->nbd, uri) == -1)
    die (uri, nbd_get_error ());
  ev_io_init (&connection->io, when_ready, -1, 0);
  connection->io.data = connection;
  ev_prepare_init (&connection->prepare, before_waiting);
  connection->prepare.data = connection;
  ev_prepare_start (loop, &connection->prepare);
}

static void
disconnect (struct ev_loop *loop, struct connection *connection)
{
  ev_io_stop (loop, &connection->io);
  ev_prepare_stop (loop, &connection->prepare);
  if (nbd_shutdown (connection->nbd, 0) == -1)
    die ("shutdown", nbd_get_error ());
  nbd_close (connection->nbd);
}

/* ---- The copy ------------------------------------------------------------ */

struct block {
  enum { FREE, READING, READ, WRITING } state;
  uint64_t offset;
  size_t length;
  char data[BLOCK];
};

struct copy {
  struct connection from, to;
  struct block blocks[BLOCKS];
  uint64_t size, next, written;
  bool begun;
  ev_prepare prepare; /* runs before the loop waits */
};

static int
read_complete (void *opaque, int *error)
{
  struct block *block = opaque;

  if (*error != 0)
    die ("read", strerror (*error));
  block->state = READ;
  return 1;
}

static int
write_complete (void *opaque, int *error)
{
  struct block *block = opaque;

  if (*error != 0)
    die ("write", strerror (*error));
  block->state = FREE;
  return 1;
}

/* Callbacks of the library cannot issue commands; this function can. */
static void
go_on (struct ev_loop *loop, ev_prepare *prepare, int events)
{
  struct copy *copy = prepare->data;
  bool busy, progress;

  (void) events;
  if (!copy->begun) {
    int64_t from, to;

    if (nbd_aio_is_connecting (copy->from.nbd)
        || nbd_aio_is_connecting (copy->to.nbd))
      return;
    from = nbd_get_size (copy->from.nbd);
    to = nbd_get_size (copy->to.nbd);
    if (from == -1 || to == -1)
      die ("size", nbd_get_error ());
    if (to < from)
      die ("copy", "the disk to copy to is too small");
    copy->size = (uint64_t) from;
    copy->begun = true;
  }

  /* A command may be answered before the call that issues it returns: continue
   * until only waiting is left. */
  do {
    busy = progress = false;
    for (int i = 0; i < BLOCKS; i++) {
      struct block *block = &copy->blocks[i];
      nbd_completion_callback callback = { .user_data = block };
      int64_t cookie = 0;

      if (block->state == FREE && copy->next < copy->size) {
        block->offset = copy->next;
        block->length = copy->size - copy->next < BLOCK
                            ? (size_t) (copy->size - copy->next)
                            : BLOCK;
        copy->next += block->length;
        block->state = READING;
        callback.callback = read_complete;
        cookie = nbd_aio_pread (copy->from.nbd, block->data, block->length,
                                block->offset, callback, 0);
        progress = true;
      } else if (block->state == READ) {
        copy->written += block->length;
        block->state = WRITING;
        callback.callback = write_complete;
        cookie = nbd_aio_pwrite (copy->to.nbd, block->data, block->length,
                                 block->offset, callback, 0);
        progress = true;
      }
      if (cookie == -1)
        die ("copy", nbd_get_error ());
      busy = busy || block->state != FREE;
    }
  } while (progress);
  if (!busy)
    ev_break (loop, EVBREAK_ALL);
}

int
main (int argc, char **argv)
{
  struct ev_loop *loop = ev_default_loop (0);
  struct copy *copy = calloc (1, sizeof *copy);

  if (argc != 3)
    die ("usage", "libev-loop URI URI");
  if (loop == NULL || copy == NULL)
    die ("start", "no memory");

  connect_to (loop, &copy->from, argv[1]);
  connect_to (loop, &copy->to, argv[2]);
  ev_prepare_init (&copy->prepare, go_on);
  /* Run before the two connections, for which it creates work. */
  ev_set_priority (&copy->prepare, EV_MAXPRI);
  copy->prepare.data = copy;
  ev_prepare_start (loop, &copy->prepare);

  ev_run (loop, 0);
  printf ("%" PRIu64 " bytes copied\n", copy->written);

  ev_prepare_stop (loop, &copy->prepare);
  disconnect (loop, &copy->from);
  disconnect (loop, &copy->to);
  free (copy);
  return EXIT_SUCCESS;
}
