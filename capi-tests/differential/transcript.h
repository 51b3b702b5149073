/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The transcript on standard output: calls and their results, one per line.  A
 * call begins at the margin with the number of its step; its effects are
 * indented.
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include "../harness/commands.h"

#include <dlfcn.h>
#include <stdarg.h>

static struct nbd_handle *h;

/* The current step, and the function that it calls. */
static unsigned step;
static const char *function;

/* Prints the first line of a call. */
__attribute__ ((format (printf, 2, 3))) static void
call (const char *name, const char *arguments, ...)
{
  va_list list;

  function = name;
  printf ("%u %s", step, name);
  if (arguments[0] != '\0') {
    putchar (' ');
    va_start (list, arguments);
    vprintf (arguments, list);
    va_end (list);
  }
  putchar ('\n');
}

/* Prints a line of its results. */
__attribute__ ((format (printf, 1, 2))) static void
line (const char *format, ...)
{
  va_list list;

  printf ("  ");
  va_start (list, format);
  vprintf (format, list);
  va_end (list);
  putchar ('\n');
}

static const char *
errno_name (int error)
{
  const char *name = strerrorname_np (error);

  return error == 0 ? "0" : name != NULL ? name : "?";
}

/* Prints the errno of the last error, and whether its text has the form
 * `function: what: description of the errno`.
 */
static void
print_error (void)
{
  const char *text = nbd_get_error ();
  int error = nbd_get_errno ();
  size_t length = strlen (function);
  const char *form = "";

  if (text == NULL)
    form = " without a text";
  else if (strncmp (text, function, length) != 0
           || strncmp (text + length, ": ", 2) != 0)
    form = " in the name of another function";
  else {
    const char *description = error == 0 ? "" : strerror (error);
    size_t end = strlen (description);

    if (strlen (text) < end
        || strcmp (text + strlen (text) - end, description) != 0)
      form = " without a description";
  }
  line ("-1 %s%s", errno_name (error), form);
  if (getenv ("DIFFERENTIAL_TEXTS"))
    fprintf (stderr, "%u %s (errno %d)\n", step, text, error);
}

static int64_t
returned (int64_t value)
{
  if (value == -1)
    print_error ();
  else
    line ("returns %" PRIi64, value);
  return value;
}

/* Prints a string from the server or the program.  The path of the socket
 * differs each time: that of the server, or the library's own for socket
 * activation.
 */
static void
returned_string (char *text)
{
  static const char activation[] = "/tmp/libnbdXXXXXX/sock";
  const char *path = text ? strstr (text, "/tmp/") : NULL;
  size_t length = 0;

  if (text == NULL) {
    print_error ();
    return;
  }
  if (path && strncmp (path, activation, 11) == 0)
    length = sizeof activation - 1;
  else if (path && server_socket[0] != '\0'
           && strncmp (path, server_socket, strlen (server_socket)) == 0)
    length = strlen (server_socket);
  if (length > 0)
    line ("returns \"%.*s$SOCKET%s\"", (int) (path - text), text,
          path + length);
  else
    line ("returns \"%s\"", text);
  free (text);
}

/* Calls a function that returns a number. */
#define RETURNS(name, arguments, ...) \
  (call (#name, __VA_ARGS__), returned ((int64_t) name arguments))

/* Calls a function that returns a string to be freed. */
#define RETURNS_STRING(name, arguments, ...) \
  (call (#name, __VA_ARGS__), returned_string (name arguments))

/* A function that only newer libraries have: the program does not link to it,
 * so that it runs with older ones.
 */
#define NEWER(name) ((__typeof__ (name) *) dlsym (RTLD_DEFAULT, #name))

/* Calls one of those functions. */
#define NEWER_RETURNS(name, arguments, ...) \
  (call (#name, __VA_ARGS__), returned ((int64_t) NEWER (name) arguments))

#define NEWER_RETURNS_STRING(name, arguments, ...) \
  (call (#name, __VA_ARGS__), returned_string (NEWER (name) arguments))

static uint64_t
checksum (const void *bytes, size_t count)
{
  const unsigned char *p = bytes;
  uint64_t sum = UINT64_C (0xcbf29ce484222325);

  for (; count > 0 && count % sizeof sum != 0; count--)
    sum = (sum ^ *p++) * UINT64_C (0x100000001b3);
  for (; count > 0; count -= sizeof sum, p += sizeof sum) {
    uint64_t word;

    memcpy (&word, p, sizeof word);
    sum = (sum ^ word) * UINT64_C (0x100000001b3);
    sum ^= sum >> 32;
  }
  return sum;
}

/* Records the state according to the getters. */
static void
print_state (void)
{
  const char *state = nbd_connection_state (h);
  int length = state ? (int) strcspn (state, ":") : 0;

  line ("state %.*s%s%s%s%s%s%s%s, direction %u, in flight %d", length,
        state ? state : "", nbd_aio_is_created (h) == 1 ? " created" : "",
        nbd_aio_is_connecting (h) == 1 ? " connecting" : "",
        nbd_aio_is_negotiating (h) == 1 ? " negotiating" : "",
        nbd_aio_is_ready (h) == 1 ? " ready" : "",
        nbd_aio_is_processing (h) == 1 ? " processing" : "",
        nbd_aio_is_dead (h) == 1 ? " dead" : "",
        nbd_aio_is_closed (h) == 1 ? " closed" : "", nbd_aio_get_direction (h),
        nbd_aio_in_flight (h));
}

#endif /* TRANSCRIPT_H */
