/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Connects a handle and issues commands on it, for programs with commands in
 * flight.
 */

#ifndef CLIENT_H
#define CLIENT_H

#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd.h>

#include "arguments.h"

static inline void
fail (void)
{
  fprintf (stderr, "%s\n", nbd_get_error ());
  exit (EXIT_FAILURE);
}

static inline void
fail_if (int error)
{
  if (error != 0) {
    fprintf (stderr, "a command failed: %s\n", strerror (error));
    exit (EXIT_FAILURE);
  }
}

/* Lets the library send requests together, if it can. */
static inline void
set_batching (struct nbd_handle *nbd)
{
  int (*set) (struct nbd_handle * nbd, bool enable);

  *(void **) &set = dlsym (RTLD_DEFAULT, "nbd_ext_set_batching");
  if (set != NULL && set (nbd, true) == -1)
    fail ();
}

static inline int
silent (void *user_data, const char *context, const char *message)
{
  return 0;
}

static inline struct nbd_handle *
connect_handle (const struct arguments *it)
{
  struct nbd_handle *nbd = nbd_create ();
  nbd_debug_callback callback = { .callback = silent };

  if (nbd == NULL)
    fail ();
  if (strcmp (it->debug, "plain") != 0
      && nbd_set_debug_callback (nbd, callback) == -1)
    fail ();
  if (nbd_set_debug (nbd, strcmp (it->debug, "on") == 0) == -1
      || nbd_set_uri_allow_local_file (nbd, true) == -1
      || nbd_connect_uri (nbd, it->target) == -1)
    fail ();
  if (it->batching)
    set_batching (nbd);
  return nbd;
}

/* Issues operation number n; the callback retires the command. */
static inline void
issue (struct nbd_handle *nbd, const struct arguments *it, char *buffer, long n,
       nbd_completion_callback callback)
{
  unsigned long offset = offset_of (it, n);
  int64_t cookie = -1;

  switch (it->operation) {
  case OPERATION_READ:
    cookie = nbd_aio_pread (nbd, buffer, it->size, offset, callback, 0);
    break;
  case OPERATION_WRITE:
    cookie = nbd_aio_pwrite (nbd, buffer, it->size, offset, callback, 0);
    break;
  case OPERATION_MIX: /* only in shared.c */
  case OPERATION_ZERO:
    cookie = nbd_aio_zero (nbd, it->size, offset, callback, 0);
    break;
  }
  if (cookie == -1)
    fail ();
}

/* Waits with poll(2), like the loop of a program that also watches other
 * descriptors. */
static inline void
poll_and_notify (struct nbd_handle *nbd)
{
  unsigned direction = nbd_aio_get_direction (nbd);
  struct pollfd fd = { .fd = nbd_aio_get_fd (nbd) };

  if (direction & LIBNBD_AIO_DIRECTION_READ)
    fd.events |= POLLIN;
  if (direction & LIBNBD_AIO_DIRECTION_WRITE)
    fd.events |= POLLOUT;
  if (poll (&fd, 1, -1) == -1) {
    perror ("poll");
    exit (EXIT_FAILURE);
  }
  if ((direction & LIBNBD_AIO_DIRECTION_READ)
      && (fd.revents & (POLLIN | POLLHUP))) {
    if (nbd_aio_notify_read (nbd) == -1)
      fail ();
  } else if ((direction & LIBNBD_AIO_DIRECTION_WRITE)
             && (fd.revents & POLLOUT)) {
    if (nbd_aio_notify_write (nbd) == -1)
      fail ();
  }
}

#endif
