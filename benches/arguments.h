/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Command line arguments, the same for the programs on the library and for the
 * floor.
 */

#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Length of the part of the export that operations cycle through. */
#define SPAN (64L << 20)

enum operation {
  OPERATION_READ,
  OPERATION_WRITE,
  OPERATION_ZERO,
  OPERATION_MIX
};

struct arguments {
  const char *target;       /* -u URI; for the floor, socket path or TCP port */
  enum operation operation; /* -o read|write|zero|mix */
  long size;                /* -s bytes of each operation */
  long depth;               /* -d operations in flight, or threads */
  long operations;          /* -n of them in all */
  long compute;      /* -c microseconds after issuing, then collect all */
  const char *loop;  /* -l sync|nbd_poll|own; for the floor: connect|own */
  const char *debug; /* -D plain|callback|on */
  const char *style; /* -x simple|structured|extended */
  bool batching;     /* -b, with a library that has nbd_ext_set_batching */
};

static inline struct arguments
parse_arguments (int argc, char *argv[])
{
  struct arguments it = { .size = 4096,
                          .depth = 1,
                          .operations = 1,
                          .loop = "nbd_poll",
                          .debug = "plain",
                          .style = "structured" };
  int option;

  while ((option = getopt (argc, argv, "u:o:s:d:n:c:l:D:x:b")) != -1) {
    switch (option) {
    case 'u':
      it.target = optarg;
      break;
    case 'o':
      it.operation = strcmp (optarg, "read") == 0    ? OPERATION_READ
                     : strcmp (optarg, "write") == 0 ? OPERATION_WRITE
                     : strcmp (optarg, "zero") == 0  ? OPERATION_ZERO
                                                     : OPERATION_MIX;
      break;
    case 's':
      it.size = atol (optarg);
      break;
    case 'd':
      it.depth = atol (optarg);
      break;
    case 'n':
      it.operations = atol (optarg);
      break;
    case 'c':
      it.compute = atol (optarg);
      break;
    case 'l':
      it.loop = optarg;
      break;
    case 'D':
      it.debug = optarg;
      break;
    case 'x':
      it.style = optarg;
      break;
    case 'b':
      it.batching = true;
      break;
    default:
      exit (EXIT_FAILURE);
    }
  }
  if (it.target == NULL || it.size < 1 || it.size > SPAN || it.depth < 1
      || it.operations < 1) {
    fprintf (stderr, "%s: -u is needed, numbers must be positive\n", argv[0]);
    exit (EXIT_FAILURE);
  }
  return it;
}

/* Returns the offset of operation number n. */
static inline unsigned long
offset_of (const struct arguments *it, long n)
{
  return n % (SPAN / it->size) * it->size;
}

#endif
