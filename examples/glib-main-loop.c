/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection as an event source of GLib's main loop: the rest of the program,
 * here a timer, keeps running while it connects and reads.
 *
 *   cc glib-main-loop.c $(pkg-config --cflags --libs libnbd glib-2.0) \
 *      -o glib-main-loop
 *   ./glib-main-loop nbd://localhost
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <libnbd.h>

enum { IN_FLIGHT = 16, BLOCK = 65536 };

static void
die (const char *what, const char *why)
{
  fprintf (stderr, "glib-main-loop: %s: %s\n", what, why);
  exit (EXIT_FAILURE);
}

/* ---- The source: fit for any program ------------------------------------ */

struct nbd_source {
  GSource source; /* must be first */
  struct nbd_handle *nbd;
  int fd; /* what is watched now, or -1 */
  gpointer tag;
};

/* Before the loop waits: watch the events that the handle needs.  While
 * connecting, the descriptor may change each time. */
static gboolean
nbd_source_prepare (GSource *source, int *timeout)
{
  struct nbd_source *s = (struct nbd_source *) source;
  unsigned direction = nbd_aio_get_direction (s->nbd);
  int fd = direction != 0 ? nbd_aio_get_fd (s->nbd) : -1;
  GIOCondition condition = 0;

  if (direction & LIBNBD_AIO_DIRECTION_READ)
    condition |= G_IO_IN;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    condition |= G_IO_OUT;

  if (fd != s->fd) {
    if (s->tag != NULL)
      g_source_remove_unix_fd (source, s->tag);
    s->tag = fd != -1 ? g_source_add_unix_fd (source, fd, condition) : NULL;
    s->fd = fd;
  } else if (s->tag != NULL)
    g_source_modify_unix_fd (source, s->tag, condition);
  *timeout = -1;
  return FALSE; /* not known to be ready: wait */
}

/* After the loop has waited: check for events of this source. */
static gboolean
nbd_source_check (GSource *source)
{
  struct nbd_source *s = (struct nbd_source *) source;

  return s->tag != NULL && g_source_query_unix_fd (source, s->tag) != 0;
}

/* Then let the handle proceed, and the program after it. */
static gboolean
nbd_source_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  struct nbd_source *s = (struct nbd_source *) source;
  GIOCondition ready = g_source_query_unix_fd (source, s->tag);
  unsigned direction = nbd_aio_get_direction (s->nbd);
  int result = 0;

  if (ready & (G_IO_IN | G_IO_HUP | G_IO_ERR)
      && direction & LIBNBD_AIO_DIRECTION_READ)
    result = nbd_aio_notify_read (s->nbd);
  else if (ready != 0 && direction & LIBNBD_AIO_DIRECTION_WRITE)
    result = nbd_aio_notify_write (s->nbd);
  if (result == -1)
    die ("connection", nbd_get_error ());
  return callback != NULL ? callback (data) : G_SOURCE_CONTINUE;
}

static GSourceFuncs nbd_source_functions = {
  .prepare = nbd_source_prepare,
  .check = nbd_source_check,
  .dispatch = nbd_source_dispatch,
};

static GSource *
nbd_source_new (struct nbd_handle *nbd)
{
  GSource *source = g_source_new (&nbd_source_functions,
                                  sizeof (struct nbd_source));
  struct nbd_source *s = (struct nbd_source *) source;

  s->nbd = nbd;
  s->fd = -1;
  s->tag = NULL;
  return source;
}

/* ---- The program: adds up the bytes of the disk -------------------------- */

struct reader {
  GMainLoop *loop;
  struct nbd_handle *nbd;
  int64_t size; /* -1 before the connection is made */
  int64_t requested, received;
  uint64_t sum;
};

struct request {
  struct reader *reader;
  size_t length;
  unsigned char data[BLOCK];
};

static int
complete (void *opaque, int *error)
{
  struct request *request = opaque;

  if (*error != 0)
    die ("read", strerror (*error));
  for (size_t i = 0; i < request->length; i++)
    request->reader->sum += request->data[i];
  request->reader->received += (int64_t) request->length;
  return 1;
}

/* Called after every event on the connection. */
static gboolean
go_on (gpointer data)
{
  struct reader *reader = data;

  if (reader->size == -1) {
    if (!nbd_aio_is_ready (reader->nbd))
      return G_SOURCE_CONTINUE; /* still connecting */
    reader->size = nbd_get_size (reader->nbd);
  }
  while (reader->requested < reader->size
         && nbd_aio_in_flight (reader->nbd) < IN_FLIGHT) {
    struct request *request = g_new (struct request, 1);
    int64_t left = reader->size - reader->requested;
    nbd_completion_callback callback = { .callback = complete,
                                         .user_data = request,
                                         .free = g_free };

    request->reader = reader;
    request->length = left < BLOCK ? (size_t) left : BLOCK;
    if (nbd_aio_pread (reader->nbd, request->data, request->length,
                       (uint64_t) reader->requested, callback, 0)
        == -1)
      die ("read", nbd_get_error ());
    reader->requested += (int64_t) request->length;
  }
  if (reader->received == reader->size)
    g_main_loop_quit (reader->loop);
  return G_SOURCE_CONTINUE;
}

/* A fast server may have replied before the socket was watched; then no further
 * event arrives until the next request. */
static gboolean
begin (gpointer data)
{
  go_on (data);
  return G_SOURCE_REMOVE;
}

static gboolean
tick (gpointer data)
{
  unsigned *ticks = data;

  (*ticks)++;
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  struct reader reader = { .size = -1 };
  unsigned ticks = 0, timer;
  GSource *source;

  if (argc != 2)
    die ("usage", "glib-main-loop URI");
  reader.loop = g_main_loop_new (NULL, FALSE);
  reader.nbd = nbd_create ();

  /* Start connecting without waiting. */
  if (reader.nbd == NULL || nbd_aio_connect_uri (reader.nbd, argv[1]) == -1)
    die (argv[1], nbd_get_error ());
  source = nbd_source_new (reader.nbd);
  g_source_set_callback (source, go_on, &reader, NULL);
  g_source_attach (source, NULL);
  g_idle_add (begin, &reader);
  timer = g_timeout_add (10, tick, &ticks);

  g_main_loop_run (reader.loop);
  printf ("%" PRIi64 " bytes, sum %" PRIu64 "\n", reader.received, reader.sum);
  fprintf (stderr, "The timer went off %u times meanwhile.\n", ticks);

  g_source_remove (timer);
  g_source_destroy (source);
  g_source_unref (source);
  g_main_loop_unref (reader.loop);
  if (nbd_shutdown (reader.nbd, 0) == -1)
    die (argv[1], nbd_get_error ());
  nbd_close (reader.nbd);
  return EXIT_SUCCESS;
}
