/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Support for programs about commands: waiting, and closures that keep a record.
 */
#ifndef HARNESS_COMMANDS_H
#define HARNESS_COMMANDS_H

#include "harness.h"

#include <endian.h>
#include <poll.h>
#include <stddef.h>

#define ITEMS(array) (sizeof (array) / sizeof (array)[0])

#define KIB UINT64_C (1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* Time limit for an event that must happen, in milliseconds. */
#define LONG_ENOUGH 20000

/* Checks that the error message is exactly this. */
#define CHECK_EXACT_MESSAGE(text) \
  check_text (__FILE__, __LINE__, nbd_get_error (), (text), true)

/* ---- waiting ---- */

/* Waits until nbd_aio_command_completed returns a result. */
static inline int
wait_for (struct nbd_handle *h, int64_t cookie)
{
  int r;

  CHECK (cookie > 0);
  while ((r = nbd_aio_command_completed (h, cookie)) == 0)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  return r;
}

/* Waits until every command has been answered. */
static inline void
wait_for_all (struct nbd_handle *h)
{
  while (nbd_aio_in_flight (h) > 0)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
}

/* Lets the library handle everything that has arrived: one call may handle only
 * a part of it.
 */
static inline void
handle_arrivals (struct nbd_handle *h)
{
  while (nbd_poll (h, 0) == 1)
    ;
}

/* ---- closures that keep a record ---- */

/* A record of the calls of closures and free functions, a letter each, in
 * order. */
struct record {
  char letters[64];
  int error;     /* *error at the last completion */
  int result;    /* result of completion callbacks */
  int set_error; /* assigned to *error when not 0 */
};

static inline void
record_letter (struct record *record, char letter)
{
  size_t n = strlen (record->letters);

  CHECK (n + 1 < sizeof record->letters);
  record->letters[n] = letter;
}

static inline int
record_completion (void *user_data, int *error)
{
  struct record *record = user_data;

  record_letter (record, 'C');
  record->error = *error;
  if (record->set_error)
    *error = record->set_error;
  return record->result;
}

static inline void
record_completion_free (void *user_data)
{
  record_letter (user_data, 'c');
}

static inline int
record_chunk (void *user_data, const void *subbuf, size_t count,
              uint64_t offset, unsigned status, int *error)
{
  (void) subbuf, (void) count, (void) offset, (void) status, (void) error;
  record_letter (user_data, 'M');
  return 0;
}

static inline int
record_extent (void *user_data, const char *metacontext, uint64_t offset,
               uint32_t *entries, size_t nr_entries, int *error)
{
  (void) metacontext, (void) offset, (void) entries, (void) nr_entries;
  (void) error;
  record_letter (user_data, 'M');
  return 0;
}

static inline int
record_extent64 (void *user_data, const char *metacontext, uint64_t offset,
                 nbd_extent *entries, size_t nr_entries, int *error)
{
  (void) metacontext, (void) offset, (void) entries, (void) nr_entries;
  (void) error;
  record_letter (user_data, 'M');
  return 0;
}

static inline void
record_middle_free (void *user_data)
{
  record_letter (user_data, 'm');
}

/* Callbacks of options whose replies do not matter. */
static inline int
no_list (void *user_data, const char *name, const char *description)
{
  (void) user_data;
  (void) name;
  (void) description;
  return 0;
}

static inline int
no_context (void *user_data, const char *name)
{
  (void) user_data;
  (void) name;
  return 0;
}

/* 'C' on completion, 'c' when freed; 'M' and 'm' for the intermediate callback
 * of a command.
 */
#define COMPLETION(record) \
  ((nbd_completion_callback) { .callback = record_completion, \
                               .user_data = (record), \
                               .free = record_completion_free })
#define CHUNK(record) \
  ((nbd_chunk_callback) { .callback = record_chunk, \
                          .user_data = (record), \
                          .free = record_middle_free })
#define EXTENT(record) \
  ((nbd_extent_callback) { .callback = record_extent, \
                           .user_data = (record), \
                           .free = record_middle_free })
#define EXTENT64(record) \
  ((nbd_extent64_callback) { .callback = record_extent64, \
                             .user_data = (record), \
                             .free = record_middle_free })

#define CHECK_RECORD(record, expected) \
  check_text (__FILE__, __LINE__, (record).letters, (expected), true)

#endif /* HARNESS_COMMANDS_H */
