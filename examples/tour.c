/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A tour of libnbd: lists a server's exports, the file system and the allocation
 * of one, and reads the whole disk with many requests in flight.
 *
 *   cc tour.c $(pkg-config --cflags --libs libnbd) -o tour
 *   ./tour nbd://localhost
 *
 * Nothing is written to that server.  `--scratch URI` names a second export,
 * whose content may be destroyed: the tour writes and zeroes a region of it.
 * `--ext4` and `--sha256 HASH` state the expected content of the disk, and
 * `--output FILE` saves a copy of it.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libnbd.h>

#include "sha256.h"

#define MIB (UINT64_C (1) << 20)

/* Number of reads in flight, and the length of each. */
enum { IN_FLIGHT = 64, READ_SIZE = 256 * 1024 };

/* Width of a map and of a progress bar, in characters. */
enum { MAP_WIDTH = 64, BAR_WIDTH = 32 };

/* ---- Errors ------------------------------------------------------------- */

static void
die (const char *format, ...)
{
  va_list arguments;

  fflush (stdout);
  fputs ("\ntour: ", stderr);
  va_start (arguments, format);
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fputc ('\n', stderr);
  exit (EXIT_FAILURE);
}

/* Passes on the result of a libnbd call. After -1, the library has the error
 * text. */
static int64_t
check (int64_t result)
{
  if (result == -1)
    die ("%s", nbd_get_error ());
  return result;
}

/* ---- Text --------------------------------------------------------------- */

static void
heading (const char *text)
{
  static int number;

  printf ("\n%d. %s\n", ++number, text);
}

static void
fact (const char *name, const char *format, ...)
{
  va_list arguments;

  printf ("   %-18s", name);
  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
  putchar ('\n');
}

static double
seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* ---- Connecting --------------------------------------------------------- */

static struct nbd_handle *
connect_to (const char *uri)
{
  struct nbd_handle *nbd = nbd_create ();

  if (nbd == NULL)
    die ("%s", nbd_get_error ());

  /* Request the allocation map and all information about the export.  It is not
   * an error if the server does not support these. */
  check (nbd_add_meta_context (nbd, LIBNBD_CONTEXT_BASE_ALLOCATION));
  check (nbd_set_full_info (nbd, true));
  check (nbd_connect_uri (nbd, uri));
  return nbd;
}

static void
disconnect (struct nbd_handle *nbd)
{
  check (nbd_shutdown (nbd, 0));
  nbd_close (nbd);
}

/* ---- What the server says of the export --------------------------------- */

static void
show_export (struct nbd_handle *nbd)
{
  static const struct {
    const char *name;
    int (*can) (struct nbd_handle *nbd);
  } abilities[] = {
    { "flush", nbd_can_flush },
    { "fua", nbd_can_fua },
    { "trim", nbd_can_trim },
    { "zero", nbd_can_zero },
    { "fast-zero", nbd_can_fast_zero },
    { "cache", nbd_can_cache },
    { "df", nbd_can_df },
    { "multi-conn", nbd_can_multi_conn },
  };
  int64_t size = check (nbd_get_size (nbd));
  int64_t minimum = check (nbd_get_block_size (nbd, LIBNBD_SIZE_MINIMUM));
  char *description = nbd_get_export_description (nbd); /* NULL: none */
  char able[128] = "";
  const char *replies = "simple";

  if (check (nbd_get_extended_headers_negotiated (nbd)))
    replies = "structured, with extended headers";
  else if (check (nbd_get_structured_replies_negotiated (nbd)))
    replies = "structured";

  for (size_t i = 0; i < sizeof abilities / sizeof *abilities; i++)
    if (check (abilities[i].can (nbd))) {
      strcat (able, *able ? " " : "");
      strcat (able, abilities[i].name);
    }

  fact ("size", "%" PRIi64 " bytes (%.1f MiB)", size, (double) size / MIB);
  if (description != NULL && *description != '\0')
    fact ("description", "%s", description);
  fact ("protocol", "%s", nbd_get_protocol (nbd));
  fact ("replies", "%s", replies);
  fact ("encrypted", "%s", check (nbd_get_tls_negotiated (nbd)) ? "yes" : "no");
  if (minimum > 0)
    fact ("block size", "at least %" PRIi64 ", best %" PRIi64, minimum,
          check (nbd_get_block_size (nbd, LIBNBD_SIZE_PREFERRED)));
  else
    fact ("block size", "any");
  fact ("read-only", "%s", check (nbd_is_read_only (nbd)) ? "yes" : "no");
  fact ("it can", "%s", *able ? able : "read, and nothing more");
  free (description);
}

/* ---- The file system: an ext4 superblock is 1024 bytes into the disk ---- */

static uint64_t
little_endian (const unsigned char *bytes, size_t count)
{
  uint64_t value = 0;

  while (count-- > 0)
    value = value << 8 | bytes[count];
  return value;
}

static void
show_file_system (struct nbd_handle *nbd, bool must_be_ext4)
{
  enum {
    PLACE = 1024,
    BLOCKS = 4,
    FREE = 12,
    SHIFT = 24,
    MAGIC = 56,
    LABEL = 120
  };
  unsigned char start[4096] = { 0 }, *block = start + PLACE;
  unsigned magic = 0;

  /* Some servers require whole blocks: read one. */
  if (check (nbd_get_size (nbd)) >= (int64_t) sizeof start) {
    check (nbd_pread (nbd, start, sizeof start, 0, 0));
    magic = (unsigned) little_endian (block + MAGIC, 2);
  }
  if (magic == 0xEF53) {
    uint64_t size = UINT64_C (1024) << (little_endian (block + SHIFT, 4) & 15);

    fact ("superblock", "magic 0xEF53: ext4 (or ext2, ext3)");
    fact ("label", "%.16s", block + LABEL);
    fact ("blocks", "%" PRIu64 " of %" PRIu64 " bytes, %" PRIu64 " free",
          little_endian (block + BLOCKS, 4), size,
          little_endian (block + FREE, 4));
  } else if (must_be_ext4)
    die ("the superblock's magic is 0x%04X and not 0xEF53", magic);
  else
    fact ("superblock", "not that of ext4");
}

/* ---- Maps of what is allocated ------------------------------------------ */

struct map {
  uint64_t start, length; /* the part of the disk it shows */
  uint64_t next;          /* how far the server has described it */
  uint64_t holes;         /* bytes that are not allocated */
  char cells[MAP_WIDTH + 1];
};

/* Called for each run of extents in a reply. */
static int
add_extents (void *opaque, const char *context, uint64_t offset,
             nbd_extent *extents, size_t count, int *error)
{
  struct map *map = opaque;

  (void) error;
  if (strcmp (context, LIBNBD_CONTEXT_BASE_ALLOCATION) != 0)
    return 0;

  for (size_t i = 0; i < count; i++) {
    uint64_t end = offset + extents[i].length;

    if (end > map->start + map->length)
      end = map->start + map->length;
    if (extents[i].flags & LIBNBD_STATE_HOLE)
      map->holes += end - offset;
    else /* one allocated byte is enough to mark its cell */
      for (uint64_t cell = (offset - map->start) * MAP_WIDTH / map->length;
           offset < end
           && cell <= (end - 1 - map->start) * MAP_WIDTH / map->length;
           cell++)
        map->cells[cell] = '#';
    map->next = offset = end;
  }
  return 0;
}

static void
show_map (struct nbd_handle *nbd, const char *name, uint64_t start,
          uint64_t length)
{
  struct map map = { .start = start, .length = length, .next = start };

  if (!check (nbd_can_meta_context (nbd, LIBNBD_CONTEXT_BASE_ALLOCATION))) {
    fact (name, "unknown");
    return;
  }
  memset (map.cells, '.', MAP_WIDTH);

  /* A server may describe less than requested: continue from there. */
  while (map.next < start + length) {
    uint64_t from = map.next, left = start + length - from;
    nbd_extent64_callback extents = { .callback = add_extents,
                                      .user_data = &map };

    check (nbd_block_status_64 (nbd, left < 1024 * MIB ? left : 1024 * MIB,
                                from, extents, 0));
    if (map.next == from)
      die ("the server describes nothing from %" PRIu64 " on", from);
  }
  fact (name, "[%s]", map.cells);
  fact ("", "%.1f MiB allocated, %.1f MiB in holes",
        (double) (length - map.holes) / MIB, (double) map.holes / MIB);
}

/* ---- Writing and zeroing, in a place where that does no harm ------------ */

struct zeroing {
  bool complete;
  int error;
};

/* Called once, when the server has answered. */
static int
zeroing_complete (void *opaque, int *error)
{
  struct zeroing *zeroing = opaque;

  zeroing->complete = true;
  zeroing->error = *error;
  return 1; /* retire the command: the program does not ask for it again */
}

static void
zero_region (const char *uri)
{
  struct nbd_handle *nbd = connect_to (uri);
  uint64_t size = (uint64_t) check (nbd_get_size (nbd));
  size_t piece = 1 * MIB;
  unsigned char *data = malloc (piece);
  struct zeroing zeroing = { false, 0 };
  nbd_completion_callback when_complete = { .callback = zeroing_complete,
                                            .user_data = &zeroing };

  if (data == NULL)
    die ("no memory");
  if (size < 8 * MIB)
    die ("%s: at least 8 MiB are needed", uri);

  memset (data, 0xA5, piece);
  for (uint64_t offset = 0; offset < 8 * MIB; offset += piece)
    check (nbd_pwrite (nbd, data, piece, offset, 0));
  show_map (nbd, "8 MiB written", 0, 8 * MIB);

  /* This does not wait: the call sends the command or queues it ... */
  check (nbd_aio_zero (nbd, 4 * MIB, 2 * MIB, when_complete, 0));
  /* ... and the program drives the connection at its own pace. */
  while (!zeroing.complete)
    check (nbd_poll (nbd, -1));
  if (zeroing.error != 0)
    die ("nbd_aio_zero: %s", strerror (zeroing.error));
  show_map (nbd, "4 MiB zeroed", 0, 8 * MIB);

  check (nbd_pread (nbd, data, piece, 3 * MIB, 0));
  for (size_t i = 0; i < piece; i++)
    if (data[i] != 0)
      die ("the zeroed region does not read as zeroes");
  fact ("", "and it reads as zeroes");

  free (data);
  disconnect (nbd);
}

/* ---- The whole disk, with IN_FLIGHT reads on their way ------------------ */

struct read {
  unsigned char *buffer;
  size_t length;
  bool complete;
  int error;
};

static int
read_complete (void *opaque, int *error)
{
  struct read *read = opaque;

  read->complete = true;
  read->error = *error;
  return 1; /* as above */
}

static void
progress (uint64_t done, uint64_t size, double since)
{
  static double shown;
  double now = seconds (), elapsed = now - since;
  double rate = elapsed > 0 ? (double) done / MIB / elapsed : 0;
  double part = size > 0 ? (double) done / (double) size : 1;
  char bar[BAR_WIDTH + 1] = "";

  /* Ten times a second on a terminal; elsewhere, once, when all is read. */
  if (done < size && (now - shown < 0.1 || !isatty (STDOUT_FILENO)))
    return;
  shown = now;
  for (int i = 0; i < BAR_WIDTH; i++)
    bar[i] = part * BAR_WIDTH >= i + 1 ? '#' : '.';
  printf ("%s   [%s] %3.0f %%  %.0f MiB  %.0f MiB/s ",
          isatty (STDOUT_FILENO) ? "\r" : "", bar, part * 100,
          (double) done / MIB, rate);
  fflush (stdout);
}

static void
copy_out (struct nbd_handle *nbd, const char *output, char hex[SHA256_HEX + 1])
{
  uint64_t size = (uint64_t) check (nbd_get_size (nbd));
  uint64_t requested = 0; /* bytes requested */
  uint64_t taken = 0;     /* bytes hashed and copied */
  uint64_t first = 0;     /* number of the oldest read in flight */
  uint64_t next = 0;      /* number of the next read */
  struct read reads[IN_FLIGHT];
  struct sha256 hash;
  double since = seconds (), hashing = 0;
  FILE *copy = NULL;

  if (output != NULL && (copy = fopen (output, "wb")) == NULL)
    die ("%s: %s", output, strerror (errno));
  for (int i = 0; i < IN_FLIGHT; i++)
    if ((reads[i].buffer = malloc (READ_SIZE)) == NULL)
      die ("no memory");
  sha256_init (&hash);

  while (taken < size) {
    /* Keep the pipe full. */
    for (; requested < size && next - first < IN_FLIGHT; next++) {
      struct read *read = &reads[next % IN_FLIGHT];
      nbd_completion_callback when_complete = { .callback = read_complete,
                                                .user_data = read };

      read->complete = false;
      read->length = READ_SIZE < size - requested ? READ_SIZE
                                                  : (size_t) (size - requested);
      check (nbd_aio_pread (nbd, read->buffer, read->length, requested,
                            when_complete, 0));
      requested += read->length;
    }

    /* Servers answer in any order.  Use the data in the order of the disk. */
    struct read *oldest = &reads[first % IN_FLIGHT];
    if (!oldest->complete) {
      check (nbd_poll (nbd, -1));
      continue;
    }
    if (oldest->error != 0)
      die ("reading at %" PRIu64 ": %s", taken, strerror (oldest->error));
    double before = seconds ();
    sha256_update (&hash, oldest->buffer, oldest->length);
    hashing += seconds () - before;
    if (copy != NULL && fwrite (oldest->buffer, oldest->length, 1, copy) != 1)
      die ("%s: %s", output, strerror (errno));
    taken += oldest->length;
    first++;
    progress (taken, size, since);
  }
  putchar ('\n');
  fact ("time", "%.2f s, of which %.2f s to hash it", seconds () - since,
        hashing);

  if (copy != NULL && fclose (copy) != 0)
    die ("%s: %s", output, strerror (errno));
  for (int i = 0; i < IN_FLIGHT; i++)
    free (reads[i].buffer);
  sha256_finish (&hash, hex);
}

static void
usage (int status)
{
  fputs ("usage: tour [--ext4] [--sha256 HASH] [--output FILE] "
         "[--scratch URI] URI\n",
         status == 0 ? stdout : stderr);
  exit (status);
}

int
main (int argc, char **argv)
{
  static const struct option options[] = {
    { "ext4", no_argument, NULL, 'e' },
    { "sha256", required_argument, NULL, 's' },
    { "output", required_argument, NULL, 'o' },
    { "scratch", required_argument, NULL, 'w' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
  };
  const char *expected = NULL, *output = NULL, *scratch = NULL;
  bool ext4 = false;
  char hash[SHA256_HEX + 1];
  int option;

  while ((option = getopt_long (argc, argv, "", options, NULL)) != -1)
    switch (option) {
    case 'e':
      ext4 = true;
      break;
    case 's':
      expected = optarg;
      break;
    case 'o':
      output = optarg;
      break;
    case 'w':
      scratch = optarg;
      break;
    case 'h':
      usage (EXIT_SUCCESS);
      break;
    default:
      usage (EXIT_FAILURE);
    }
  if (optind + 1 != argc)
    usage (EXIT_FAILURE);

  struct nbd_handle *nbd = connect_to (argv[optind]);
  printf ("%s %s, connected to %s\n", nbd_get_package_name (nbd),
          nbd_get_version (nbd), argv[optind]);

  heading ("What the server exports");
  show_export (nbd);
  heading ("The file system on it");
  show_file_system (nbd, ext4);
  heading ("Where its data lies");
  show_map (nbd, "the whole disk", 0, (uint64_t) check (nbd_get_size (nbd)));
  if (scratch != NULL) {
    heading ("Zeroing in the background, on a scratch disk");
    zero_region (scratch);
  }

  heading ("The whole disk, 64 reads in flight");
  copy_out (nbd, output, hash);
  fact ("SHA-256", "%s", hash);
  if (expected != NULL && strcmp (hash, expected) != 0)
    die ("the copy is not the disk: its SHA-256 should be\n      %s", expected);
  if (expected != NULL)
    fact ("", "as it should be");
  fact ("received", "%" PRIu64 " bytes in %" PRIu64 " replies",
        nbd_stats_bytes_received (nbd), nbd_stats_chunks_received (nbd));

  disconnect (nbd);
  return EXIT_SUCCESS;
}
