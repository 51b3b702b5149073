/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With 64 commands in flight, each request is sent with one system call,
 * send(2) for a request without data, and several replies are received with
 * one. A synchronous command needs two system calls, since it waits by
 * receiving, and a third for a large reply, whose data is received at once.
 * After the first commands, malloc is no longer called.
 *
 * This program defines the functions of the C library that the library calls,
 * and counts the calls.
 */
#include "../harness/counted-calls.h"

#define DEPTH 64
#define SIZE 4096
#define WARM_UP 20000
#define COMMANDS 100000
#define SYNCHRONOUS 1000

static unsigned long allocations;

/* Sanitizers have their own malloc: only system calls are counted then. */
#ifndef __SANITIZE_ADDRESS__

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t count, size_t size);
extern void *__libc_realloc (void *data, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);

void *
malloc (size_t size)
{
  ++allocations;
  return __libc_malloc (size);
}

void *
calloc (size_t count, size_t size)
{
  ++allocations;
  return __libc_calloc (count, size);
}

void *
realloc (void *data, size_t size)
{
  ++allocations;
  return __libc_realloc (data, size);
}

int
posix_memalign (void **data, size_t alignment, size_t size)
{
  ++allocations;
  *data = __libc_memalign (alignment, size);
  return *data ? 0 : ENOMEM;
}

#endif

static char buffers[DEPTH][SIZE];
static int idle[DEPTH], idle_count;

static int
completion (void *user_data, int *error)
{
  CHECK (*error == 0);
  idle[idle_count++] = (char (*)[SIZE]) user_data - buffers;
  return 1;
}

/* Keeps DEPTH commands in flight until count have been issued. */
static void
run (struct nbd_handle *h, bool write, int timeout, unsigned long count)
{
  unsigned long issued = 0;

  idle_count = 0;
  for (int i = 0; i < DEPTH; ++i)
    idle[idle_count++] = i;
  while (issued < count || idle_count < DEPTH) {
    while (issued < count && idle_count > 0) {
      char *buffer = buffers[idle[--idle_count]];
      uint64_t offset = issued++ % 256 * SIZE;
      nbd_completion_callback callback = { .callback = completion,
                                           .user_data = buffer };
      int64_t cookie = write ? nbd_aio_pwrite (h, buffer, SIZE, offset,
                                               callback, 0)
                             : nbd_aio_pread (h, buffer, SIZE, offset, callback,
                                              0);

      CHECK (cookie > 0);
    }
    CHECK (nbd_poll (h, timeout) == 1);
  }
}

/* Returns the number of system calls of one command, in hundredths. */
static unsigned long
measure (struct nbd_handle *h, bool write, int timeout)
{
  run (h, write, timeout, WARM_UP);
  system_calls = headers_sent = allocations = 0;
  run (h, write, timeout, COMMANDS);
  CHECK (allocations == 0);
  CHECK (write || headers_sent == COMMANDS);
  printf ("%s, %s: %lu system calls for %d commands\n",
          write ? "write" : "read", timeout < 0 ? "no timeout" : "a timeout",
          system_calls, COMMANDS);
  return system_calls * 100 / COMMANDS;
}

/* Returns the number of system calls of SYNCHRONOUS consecutive reads. */
static unsigned long
read_synchronously (struct nbd_handle *h, size_t size)
{
  CHECK (nbd_pread (h, buffers, size, 0, 0) == 0);
  system_calls = headers_sent = allocations = 0;
  for (int i = 0; i < SYNCHRONOUS; ++i)
    CHECK (nbd_pread (h, buffers, size, 0, 0) == 0);
  CHECK (allocations == 0);
  CHECK (headers_sent == SYNCHRONOUS);
  printf ("%zu bytes, synchronously: %lu system calls for %d reads\n", size,
          system_calls, SYNCHRONOUS);
  return system_calls;
}

int
main (void)
{
  struct nbd_handle *h = connected ("--size", "1M");

  CHECK (measure (h, false, LONG_ENOUGH) <= 150);
  CHECK (measure (h, true, LONG_ENOUGH) <= 150);
  CHECK (measure (h, false, -1) <= 150);
  CHECK (measure (h, true, -1) <= 150);

  /* Memory for more than one command in flight is freed, once. */
  for (int i = 0; i < 2 * SYNCHRONOUS; ++i)
    CHECK (nbd_pread (h, buffers, SIZE, 0, 0) == 0);
  CHECK (read_synchronously (h, SIZE) <= 2 * SYNCHRONOUS);
  CHECK (read_synchronously (h, sizeof buffers) <= 4 * SYNCHRONOUS);
  nbd_close (h);
  return 0;
}
